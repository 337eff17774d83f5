"""All commands and their one entry point. What a command does is imported when it runs."""

import sys
from dataclasses import dataclass
from typing import Annotated

import typer

from cofounder import __version__
from cofounder.cli import forms


@dataclass
class Invocation:
    """What holds for the whole invocation."""

    debug: bool = False


app = typer.Typer(
    name="cofounder",
    help="Lets an agent build software for you, for days, on a fixed budget.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
db = typer.Typer(help="Look after the database.", no_args_is_help=True)
app.add_typer(db, name="db", rich_help_panel="Service")


def main() -> None:
    """Run one command and leave with its exit code."""
    invocation = Invocation()
    try:
        app(obj=invocation)
    except Exception as error:  # a person gets one clear message for whatever happened
        # Imported here: most commands end without an error.
        from cofounder.cli.errors import report

        sys.exit(report(error, debug=invocation.debug))


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"cofounder {__version__}")
        raise typer.Exit


@app.callback()
def _everything(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=lambda wanted: _show_version(wanted=wanted),
            is_eager=True,
            help="Show the version.",
        ),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")
    ] = False,
) -> None:
    invocation = context.find_object(Invocation)
    if invocation is not None:
        invocation.debug = debug
