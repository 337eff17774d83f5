"""All commands and their one entry point. What a command does is imported when it runs."""

import io
import os
import sys
from collections.abc import Callable
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
    rich_markup_mode=None,
)
db = typer.Typer(help="Look after the database.", no_args_is_help=True)


def main() -> None:
    """Run one command and leave with its exit code."""
    invocation = Invocation()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a symbol shows a question mark.
            stream.reconfigure(errors="replace")
    try:
        app(obj=invocation)
    except Exception as error:  # a person gets one clear message for whatever happened
        # Imported here: most commands end without an error.
        from cofounder.cli.errors import report

        sys.exit(report(error, debug=invocation.debug))
    finally:
        _flush()


def _flush() -> None:
    """Whoever read our output may have had enough of it (`| head`): that is no error."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"cofounder {__version__}")
        raise typer.Exit


@app.callback()
def _everything(
    context: typer.Context,
    *,
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


def _run(form: forms.Run) -> None:
    """Have something built: IDEA in your own words."""
    # What a command does is imported when it runs, to keep --help fast.
    from cofounder.cli.watching import run

    raise typer.Exit(run(form))


def _jobs(form: forms.Jobs) -> None:
    """List the jobs, newest first."""
    # Imported here to keep --help fast.
    from cofounder.cli.reading import show_jobs

    show_jobs(form)


def _status(form: forms.OneJob) -> None:
    """Show one job: state, budget, phases, decisions."""
    # Imported here to keep --help fast.
    from cofounder.cli.reading import show_status

    show_status(form)


def _watch(form: forms.Watch) -> None:
    """Watch a job live until it ends."""
    # Imported here to keep --help fast.
    from cofounder.cli.watching import watch

    raise typer.Exit(watch(form))


def _escalations(form: forms.Escalations) -> None:
    """Show the decisions that wait for you."""
    # Imported here to keep --help fast.
    from cofounder.cli.reading import show_escalations

    show_escalations(form)


def _resolve(form: forms.Resolve) -> None:
    """Answer a decision."""
    # Imported here to keep --help fast.
    from cofounder.cli.deciding import resolve

    resolve(form)


def _message(form: forms.Message) -> None:
    """Tell the agent something before its next step."""
    # Imported here to keep --help fast.
    from cofounder.cli.acting import message

    message(form)


def _pause(form: forms.OneJob) -> None:
    """Stop a job after the running step, until you resume it."""
    # Imported here to keep --help fast.
    from cofounder.cli.acting import control

    control(form, "pause")


def _resume(form: forms.OneJob) -> None:
    """Go on after a pause, or try again after an error."""
    # Imported here to keep --help fast.
    from cofounder.cli.acting import control

    control(form, "resume")


def _wake(form: forms.OneJob) -> None:
    """End a sleep early, where there is money to go on."""
    # Imported here to keep --help fast.
    from cofounder.cli.acting import control

    control(form, "wake")


def _cancel(form: forms.Cancel) -> None:
    """End a job for good."""
    # Imported here to keep --help fast.
    from cofounder.cli.acting import cancel

    cancel(form)


def _top_up(form: forms.TopUp) -> None:
    """Add money to today and wake who sleeps for lack of it."""
    # Imported here to keep --help fast.
    from cofounder.cli.money import top_up

    top_up(form)


def _budget(form: forms.Budget) -> None:
    """Show today's budget and the cycle, or change the plan."""
    # Imported here to keep --help fast.
    from cofounder.cli.money import budget

    budget(form)


def _up(form: forms.Up) -> None:
    """Run the service until Ctrl+C."""
    typer.echo("Starting …", err=True)
    # Imported here to keep --help fast.
    from cofounder.cli.up import up

    up(form)


def _demo(form: forms.Demo) -> None:
    """Watch a whole life of the agent: no key, no server."""
    typer.echo("Starting a real service, and a scripted model behind a real endpoint …", err=True)
    # Imported here to keep --help fast.
    from cofounder.cli.demo import demo

    raise typer.Exit(demo(form))


def _doctor(form: forms.Reading) -> None:
    """Look whether everything that the service needs is there."""
    # Imported here to keep --help fast.
    from cofounder.cli.doctor import doctor

    raise typer.Exit(doctor(form))


def _token(form: forms.Where) -> None:
    """Print the token that opens the service."""
    # Imported here to keep --help fast.
    from cofounder.cli.connection import token_of

    typer.echo(token_of(form.data_dir))


def _openapi() -> None:
    """Print the description of the HTTP interface."""
    # Imported here to keep --help fast.
    from cofounder.api.openapi import openapi_json

    typer.echo(openapi_json(), nl=False)


def _db_upgrade(form: forms.Where) -> None:
    """Bring the database up to date."""
    # Imported here to keep --help fast.
    from cofounder.cli.doctor import upgrade

    upgrade(form)


def _add(name: str, callback: Callable[..., None]) -> None:
    app.command(name)(callback)


_add("demo", forms.taking(forms.Demo, _demo))
_add("up", forms.taking(forms.Up, _up))
_add("doctor", forms.taking(forms.Reading, _doctor))
_add("run", forms.taking(forms.Run, _run))
_add("jobs", forms.taking(forms.Jobs, _jobs))
_add("status", forms.taking(forms.OneJob, _status))
_add("watch", forms.taking(forms.Watch, _watch))
_add("escalations", forms.taking(forms.Escalations, _escalations))
_add("resolve", forms.taking(forms.Resolve, _resolve))
_add("message", forms.taking(forms.Message, _message))
_add("pause", forms.taking(forms.OneJob, _pause))
_add("resume", forms.taking(forms.OneJob, _resume))
_add("wake", forms.taking(forms.OneJob, _wake))
_add("cancel", forms.taking(forms.Cancel, _cancel))
_add("budget", forms.taking(forms.Budget, _budget))
_add("top-up", forms.taking(forms.TopUp, _top_up))
_add("token", forms.taking(forms.Where, _token))
_add("openapi", _openapi)
db.command("upgrade")(forms.taking(forms.Where, _db_upgrade))
app.add_typer(db, name="db")
