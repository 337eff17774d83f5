"""How a watched job is shown: a live view, plain lines, or JSON lines."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cofounder.cli.feed import Line, line_of
from cofounder.cli.render import Frame, render
from cofounder.cli.view_state import ViewState
from cofounder.cli.words import clean, look, seconds
from cofounder.domain.events import Envelope
from cofounder.domain.money import format_usd


@dataclass(frozen=True, kw_only=True)
class Moment:
    """When a view is shown: our clock, and for how long the connection has been away."""

    now: datetime
    offline_s: float


class Screen(Protocol):
    """Something that shows a job. `opened` holds the terminal for as long as it is shown."""

    def opened(self) -> AbstractContextManager[object]:
        """Take the terminal, and give it back clean."""
        ...

    def show(self, view: ViewState, moment: Moment) -> None:
        """Called at every change, and twice a second."""
        ...

    def told(self, event: Envelope) -> None:
        """Called for every event that was applied."""
        ...

    def closed(self, view: ViewState, moment: Moment) -> None:
        """Called once at the end, when the terminal is free again."""
        ...


class LiveScreen:
    """The full-screen view of a terminal; what is there at the end stays as text."""

    def __init__(self, console: Console, *, hint: Callable[[], Text | None] = lambda: None) -> None:
        """`hint` replaces the last line where it returns one."""
        self._console, self._hint = console, hint
        self._live = Live(console=console, screen=True, auto_refresh=False)

    def opened(self) -> AbstractContextManager[object]:
        """The alternate screen, without a cursor."""
        return self._live

    def show(self, view: ViewState, moment: Moment) -> None:
        """Draw the whole frame at the terminal's present size."""
        width, height = self._console.size
        self._live.update(render(view, self._frame(moment, width, height)), refresh=True)

    def told(self, event: Envelope) -> None:
        """The frame says it all."""

    def closed(self, view: ViewState, moment: Moment) -> None:
        """Leave the last frame in the scrollback."""
        width, height = self._console.size
        self._console.print(render(view, self._frame(moment, width, min(height, 24))))

    def _frame(self, moment: Moment, width: int, height: int) -> Frame:
        return Frame(
            now=moment.now,
            width=width,
            height=height,
            offline_s=moment.offline_s,
            hint=self._hint(),
        )


class LineScreen:
    """One line an event with its time in UTC, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._offline = False

    def opened(self) -> AbstractContextManager[object]:
        """Nothing is held."""
        return nullcontext()

    def show(self, view: ViewState, moment: Moment) -> None:
        """Print what was before, once, and changes of the connection."""
        if not self._begun:
            self._begun = True
            for line in view.feed:
                self._print(line.at, _plain(line))
        offline = moment.offline_s > 0
        if offline != self._offline:
            self._offline = offline
            word = "Connection lost, reconnecting" if offline else "Connected again"
            self._print(moment.now, word)

    def told(self, event: Envelope) -> None:
        """Print its line."""
        line = line_of(event)
        self._print(line.at, _plain(line))

    def closed(self, view: ViewState, moment: Moment) -> None:
        """Say how it stands."""
        parts = [
            look(view.state).word,
            clean(view.note),
            f"iteration {view.iteration}",
            f"{format_usd(view.spent_usd_micros)} spent",
        ]
        self._print(moment.now, " · ".join(part for part in parts if part))

    def _print(self, at: datetime, text: str) -> None:
        stamp = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._console.print(Text(f"{stamp}  {text}"), soft_wrap=True)


class JsonScreen:
    """One event a line, as the service sent it."""

    def opened(self) -> AbstractContextManager[object]:
        """Nothing is held."""
        return nullcontext()

    def show(self, view: ViewState, moment: Moment) -> None:
        """States are not shown, events are."""

    def told(self, event: Envelope) -> None:
        """Print it at once."""
        sys.stdout.write(event.model_dump_json(by_alias=True, ensure_ascii=True) + "\n")
        sys.stdout.flush()

    def closed(self, view: ViewState, moment: Moment) -> None:
        """The exit code says the rest."""


def _plain(line: Line) -> str:
    text = f"{line.head}: {line.text}" if line.text else line.head
    return text if line.duration_s is None else f"{text} ({seconds(line.duration_s)})"
