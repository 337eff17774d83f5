"""The live view as a pure function: state, instant and size in, lines out."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from rich.console import Group
from rich.text import Text

from cofounder.cli.lines import BLANK, fitted, rule
from cofounder.cli.money_view import money_lines
from cofounder.cli.sections import (
    decision_lines,
    feed_lines,
    header_lines,
    phase_lines,
    phase_strip,
)
from cofounder.cli.view_state import ViewState
from cofounder.domain.session import ENDED

WIDE = 100
_PHASE_CELLS = 34
_LEAST_FEED = 4
_REPORTED = 10


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Where and when it is drawn. `now` is our clock; `zone` None is this machine's.

    `offline_s` is for how long the stream has been away, 0 while it is there. `hint`
    replaces the last line.
    """

    now: datetime
    width: int
    height: int
    zone: tzinfo | None = None
    offline_s: float = 0.0
    hint: Text | None = None


def render(view: ViewState, frame: Frame) -> Group:
    """At most `frame.height` lines of at most `frame.width` cells."""
    now = frame.now + view.skew
    top = header_lines(view, now, frame.width, frame.zone)
    top += [BLANK, *money_lines(view.day, now, frame.width, frame.zone)]
    bottom = _footer(view, frame)
    room = frame.height - len(top) - len(bottom)
    pinned: list[Text] = []
    if view.decisions:
        pinned = [BLANK, *_pinned(view, frame.width, room - 1 - _LEAST_FEED)]
    body = _body(view, now, frame, room - len(pinned))
    return Group(*[*top, *pinned, *body, *bottom][: frame.height])


def report(view: ViewState, frame: Frame) -> Group:
    """The same as text of any length, for a look in passing; `frame.height` does not count."""
    now = frame.now + view.skew
    lines = header_lines(view, now, frame.width, frame.zone)
    lines += [BLANK, *money_lines(view.day, now, frame.width, frame.zone)]
    for decision in view.decisions:
        lines += [BLANK, *decision_lines(decision, frame.width)]
    if view.phases:
        title = rule(Text("Phases", style="bold"), _PHASE_CELLS, "bright_black")
        lines += [BLANK, title, *phase_lines(view, now, _PHASE_CELLS)]
    if view.feed:
        title = rule(Text("Activity", style="bold"), frame.width, "bright_black")
        lines += [BLANK, title, *feed_lines(view, frame.width, _REPORTED, frame.zone)]
    return Group(*lines)


def _pinned(view: ViewState, width: int, height: int) -> list[Text]:
    first, *others = view.decisions
    return decision_lines(first, width, height=max(4, height), others=len(others))


def _body(view: ViewState, now: datetime, frame: Frame, height: int) -> list[Text]:
    """Phases beside the activity where there is room, else above it."""
    if height < 2:
        return []
    if frame.width >= WIDE and view.phases:
        return _columns(view, now, frame, height)
    lines = [BLANK, phase_strip(view, frame.width)] if view.phases else []
    lines.append(rule(Text("Activity", style="bold"), frame.width, "bright_black"))
    rows = feed_lines(view, frame.width, height - len(lines), frame.zone)
    return [*lines, *_filled(rows, height - len(lines))]


def _columns(view: ViewState, now: datetime, frame: Frame, height: int) -> list[Text]:
    right = frame.width - _PHASE_CELLS - 2
    rows = _filled(feed_lines(view, right, height - 2, frame.zone), height - 2)
    phases = _filled(phase_lines(view, now, _PHASE_CELLS), height - 2)
    heads = [
        rule(Text("Phases", style="bold"), _PHASE_CELLS, "bright_black"),
        rule(Text("Activity", style="bold"), right, "bright_black"),
    ]
    lines = [BLANK, Text.assemble(heads[0], "  ", heads[1])]
    for left, row in zip(phases, rows, strict=True):
        lines.append(Text.assemble(fitted(left, _PHASE_CELLS, pad=True), "  ", row))
    return lines


def _filled(lines: list[Text], height: int) -> list[Text]:
    kept = lines[: max(0, height)]
    return [*kept, *[BLANK] * (max(0, height) - len(kept))]


def _footer(view: ViewState, frame: Frame) -> list[Text]:
    if frame.offline_s >= 2:
        late = f"Connection lost; shown as of {frame.offline_s:.0f} s ago. Reconnecting …"
        return [fitted(Text(late, style="bold red"), frame.width)]
    if view.state in ENDED:
        return []
    if frame.hint is not None:
        return [fitted(frame.hint, frame.width)]
    hint = "Ctrl+C leaves, the job goes on"
    if frame.width >= WIDE:
        hint += f" · tell it something: cofounder message {view.job_id} TEXT"
    return [fitted(Text(hint, style="bright_black"), frame.width)]
