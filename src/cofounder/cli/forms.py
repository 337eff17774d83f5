"""The options of each command as one frozen value, and how Typer is told of them."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from typer import Argument, Option


@dataclass(frozen=True, kw_only=True)
class Where:
    """Which service."""

    data_dir: Annotated[
        Path | None,
        Option(
            "--data-dir",
            metavar="DIR",
            help="The service's data directory [env: COFOUNDER_DATA_DIR].",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Reading(Where):
    """A command that shows something."""

    as_json: Annotated[
        bool, Option("--json", help="Print the data as JSON on stdout, and nothing else.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class OneJob(Reading):
    """A command about one job."""

    job: Annotated[str, Argument(metavar="JOB", help="The job's id, as `cofounder jobs` lists it.")]


@dataclass(frozen=True, kw_only=True)
class Jobs(Reading):
    """`jobs`."""

    limit: Annotated[int, Option("--limit", min=1, max=1000, help="How many, newest first.")] = 20


@dataclass(frozen=True, kw_only=True)
class Watch(OneJob):
    """`watch`."""

    until_idle: Annotated[
        bool,
        Option(
            "--until-idle",
            help="End also when it sleeps (exit code 5) or needs a person (exit code 4).",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Run(Reading):
    """`run`."""

    idea: Annotated[str, Argument(metavar="IDEA", help="What to build, in your own words.")]
    qna: Annotated[
        Path | None,
        Option(
            "--qna",
            metavar="FILE.json",
            exists=True,
            dir_okay=False,
            help='Questions and answers: [{"question": …, "answer": …}] or {question: answer}.',
        ),
    ] = None
    plan: Annotated[
        Path | None,
        Option(
            "--plan",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help='A plan: a text, or JSON like {"summary": …, "phases": [{"name": …}]}.',
        ),
    ] = None
    model: Annotated[
        str | None, Option("--model", help="The model; the service's default otherwise.")
    ] = None
    max_tool_calls: Annotated[
        int | None, Option("--max-tool-calls", min=1, help="How many tool calls it may make.")
    ] = None
    watch: Annotated[
        bool | None,
        Option("--watch/--no-watch", help="Watch it work; on a terminal this is the default."),
    ] = None
    until_idle: Annotated[
        bool,
        Option("--until-idle", help="Watch until it ends, sleeps (5) or needs a person (4)."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class Escalations(Reading):
    """`escalations`."""

    every: Annotated[bool, Option("--all", help="Past decisions too.")] = False


@dataclass(frozen=True, kw_only=True)
class Resolve(Reading):
    """`resolve`."""

    escalation: Annotated[str, Argument(metavar="ID", help="The decision's id.")]
    option: Annotated[
        str | None,
        Argument(metavar="[OPTION]", help="The id of one of its options; asked for otherwise."),
    ] = None
    guidance: Annotated[
        str | None, Option("--guidance", metavar="TEXT", help="What the agent should know.")
    ] = None


@dataclass(frozen=True, kw_only=True)
class Message(OneJob):
    """`message`."""

    text: Annotated[str, Argument(metavar="TEXT", help="What the agent is told.")]


@dataclass(frozen=True, kw_only=True)
class Cancel(OneJob):
    """`cancel`."""

    yes: Annotated[bool, Option("--yes", "-y", help="Do not ask.")] = False


@dataclass(frozen=True, kw_only=True)
class TopUp(Reading):
    """`top-up`."""

    amount_usd: Annotated[
        str, Argument(metavar="AMOUNT_USD", help="Dollars that are added to today, like 2.50.")
    ]
    key: Annotated[
        str | None,
        Option("--idempotency-key", metavar="KEY", help="The same key counts once only."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Budget(Reading):
    """`budget`."""

    cycle_usd: Annotated[
        str | None,
        Option("--cycle-usd", metavar="USD", help="Change what may be spent per cycle."),
    ] = None
    renewal_day: Annotated[
        int | None,
        Option("--renewal-day", min=1, max=31, help="Change the day of the month it renews."),
    ] = None
    time_zone: Annotated[
        str | None,
        Option("--time-zone", metavar="ZONE", help="Change where midnight is: Europe/Berlin."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class Up(Where):
    """`up`."""

    host: Annotated[str | None, Option("--host", help="Where to listen.")] = None
    port: Annotated[
        int | None, Option("--port", min=0, max=65535, help="Where to listen; 0: any free port.")
    ] = None
    model: Annotated[str | None, Option("--model", help="The default model of new jobs.")] = None


@dataclass(frozen=True, kw_only=True)
class Demo:
    """`demo`."""

    data_dir: Annotated[
        Path | None,
        Option(
            "--data-dir", metavar="DIR", help="Where it lives; a new temporary folder if left out."
        ),
    ] = None
    port: Annotated[
        int, Option("--port", min=0, max=65535, help="Where to listen; 0: any free port.")
    ] = 0
    no_browser: Annotated[
        bool,
        Option("--no-browser", help="Open no page. The story is shown in the terminal anyway."),
    ] = False
    exit_when_done: Annotated[
        bool,
        Option("--exit-when-done", help="End with the story; the last line is a JSON summary."),
    ] = False


Form = TypeVar("Form")


def taking(form: type[Form], run: Callable[[Form], None]) -> Callable[..., None]:
    """A callback whose options are the fields of `form`, handed over as one value."""

    def callback(**given: object) -> None:
        run(form(**given))

    callback.__doc__ = run.__doc__
    # This is what Typer reads instead of the parameters above.
    callback.__dict__["__signature__"] = inspect.signature(form)
    return callback
