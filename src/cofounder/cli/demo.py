"""The demo: a whole life of the agent, shown in the terminal."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from cofounder.api.schemas.escalations import EscalationList
from cofounder.api.schemas.events import EventPage
from cofounder.api.schemas.jobs import StatusOut
from cofounder.bootstrap.demo import DemoRun
from cofounder.bootstrap.demo import demo as tell_story
from cofounder.cli import forms
from cofounder.cli.client import Service, path_of
from cofounder.cli.demo_answer import Offer, OfferingScreen
from cofounder.cli.errors import ExitCode
from cofounder.cli.foreground import in_foreground, on_signals
from cofounder.cli.keys import pressed_keys
from cofounder.cli.logs import log_to
from cofounder.cli.machine import this_machine
from cofounder.cli.screens import LineScreen, LiveScreen
from cofounder.cli.terminal import err, out
from cofounder.cli.watch import Watch
from cofounder.cli.words import count
from cofounder.domain.errors import ConfigurationError
from cofounder.domain.money import format_usd
from cofounder.domain.session import SessionState

_SLEEPS = ("agent.sleeping", "agent.budget_exceeded")
_HIDDEN = frozenset({".git", ".cofounder", "__pycache__"})


@dataclass(frozen=True, kw_only=True)
class Summary:
    """How the story went; amounts are micro-dollars, `files` relative to the workspace."""

    job_id: str
    state: str
    spent_usd_micros: int
    sleeps: int
    wakes: int
    escalations: int
    iterations: int
    files: list[str]
    workspace: str
    url: str
    data_dir: str


def demo(form: forms.Demo) -> ExitCode:
    """Tell the story; the exit code is 0 when the job was completed."""
    with _home(form.data_dir) as data_dir:
        return in_foreground(_told(form, data_dir))


@contextmanager
def _home(wanted: Path | None) -> Iterator[Path]:
    """The demo's own data directory, with the log of everything that happens in it."""
    try:
        data_dir = (wanted or Path(tempfile.mkdtemp(prefix="cofounder-demo-"))).expanduser()
        data_dir.mkdir(parents=True, exist_ok=True)
        log = (data_dir / "cofounder.log").open("a", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"The demo's data directory cannot be written: {error}.",
            cure="Give it another one: cofounder demo --data-dir DIR",
        ) from error
    with log:
        log_to(log)
        yield data_dir.absolute()


async def _told(form: forms.Demo, data_dir: Path) -> ExitCode:
    async with tell_story(port=form.port, data_dir=data_dir) as run:
        async with Service(data_dir) as service:
            await _watched(service, run, data_dir)
            summary = await _summary(service, run, data_dir)
        _tell(summary)
        if not form.exit_when_done and _attended():
            err().print("The service still runs; look around. Ctrl+C ends it.")
            on_signals(lambda: run.running.request_stop(hard=True))
            await run.running.wait_stopped()
    if form.exit_when_done:
        sys.stdout.write(json.dumps(asdict(summary)) + "\n")
    return ExitCode.OK if summary.state == SessionState.COMPLETED else ExitCode.FAILURE


def _attended() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


async def _watched(service: Service, run: DemoRun, data_dir: Path) -> None:
    machine, attended = this_machine(), _attended()
    # With this set, every command that the view names works as it stands there.
    hint = f"In another terminal: export COFOUNDER_DATA_DIR={data_dir}"
    with pressed_keys() if attended else nullcontext() as keys:
        offer = Offer(service, machine.clock, keys, hint)
        shown = LiveScreen(out(), hint=offer.hint) if attended else LineScreen(err())
        answers = asyncio.create_task(offer.answer_all())
        try:
            watch = Watch(service, machine, OfferingScreen(shown, offer))
            await watch.follow(run.job_id, until_idle=False)
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)


async def _summary(service: Service, run: DemoRun, data_dir: Path) -> Summary:
    job = path_of("jobs", run.job_id)
    status = StatusOut.model_validate_json(await service.get(f"{job}/status"))
    asked = EscalationList.model_validate_json(await service.get(f"{job}/escalations"))
    return Summary(
        job_id=run.job_id,
        state=status.state,
        spent_usd_micros=status.spent_usd_micros,
        sleeps=await _events(service, job, *_SLEEPS),
        wakes=await _events(service, job, "agent.waking"),
        escalations=len(asked.items),
        iterations=status.iteration,
        files=_files(run.workspace),
        workspace=str(run.workspace),
        url=run.running.url,
        data_dir=str(data_dir),
    )


async def _events(service: Service, job: str, *types: str) -> int:
    page = await service.get(f"{job}/events", type=types, limit=1000)
    return len(EventPage.model_validate_json(page).items)


def _files(workspace: Path) -> list[str]:
    paths = (path.relative_to(workspace) for path in workspace.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in paths if not _HIDDEN & set(path.parts))


def _tell(summary: Summary) -> None:
    console = err()
    console.print()
    console.print(
        f"{count(summary.iterations, 'iteration')}, {format_usd(summary.spent_usd_micros)}, "
        f"{count(summary.escalations, 'decision')}, {count(summary.sleeps, 'sleep')}, "
        f"{count(summary.wakes, 'wake')}. What was built: {summary.workspace}",
        soft_wrap=True,
    )
    for path in summary.files:
        console.print(f"  {path}", soft_wrap=True)
