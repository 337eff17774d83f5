"""Times, money and states in words, the same in every view.

Text that came from the agent goes through `clean` before it reaches a terminal.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from cofounder.domain.money import format_usd
from cofounder.domain.session import SessionState

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])")
_CLOSE_S = 600


def clean(text: str) -> str:
    """Text that cannot steer the terminal: no escapes or controls, line breaks as blanks."""
    flat = " ".join(_ESCAPES.sub("", text).split())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in flat)


def clean_lines(text: str) -> list[str]:
    """The same, line by line, without empty lines at the ends."""
    return [clean(line) for line in text.strip().splitlines()]


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a state is shown: never by its colour alone."""

    symbol: str
    word: str
    style: str


_LOOKS: dict[SessionState, Look] = {
    SessionState.QUEUED: Look(symbol="◌", word="Queued", style="cyan"),
    SessionState.WORKING: Look(symbol="●", word="Working", style="green"),
    SessionState.SLEEPING: Look(symbol="☾", word="Sleeping", style="blue"),
    SessionState.WAITING_FOR_INPUT: Look(symbol="◆", word="Needs you", style="yellow"),
    SessionState.PAUSED: Look(symbol="‖", word="Paused", style="magenta"),
    SessionState.BUDGET_EXCEEDED: Look(symbol="▲", word="Over budget", style="red"),
    SessionState.ERROR: Look(symbol="✗", word="Failed", style="red"),
    SessionState.COMPLETED: Look(symbol="✓", word="Completed", style="green"),
    SessionState.CANCELLED: Look(symbol="⊘", word="Cancelled", style="bright_black"),
}


def look(state: SessionState) -> Look:
    """Symbol, word and colour of a state."""
    return _LOOKS[state]


def span(length: timedelta) -> str:
    """A length of time in its two largest units: `7 h 52 min`; nothing is negative."""
    seconds = max(0, round(length.total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    if minutes:
        return f"{minutes} min {seconds % 60:02d} s"
    return f"{seconds} s"


def roughly(length: timedelta) -> str:
    """The same without seconds, once there is a minute."""
    minutes = int(length.total_seconds()) // 60
    return f"{minutes} min" if 1 <= minutes < 60 else span(length)


def countdown(until: datetime, now: datetime) -> str:
    """`in 7 h 52 min`, or `now` when it is due."""
    left = until - now
    return f"in {span(left)}" if left >= timedelta(seconds=0.5) else "now"


def clock_time(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """The time of day in a zone (None: this machine's), with the day when that is another."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    close = abs((at - now).total_seconds()) < _CLOSE_S
    time = f"{local:%H:%M:%S}" if close else f"{local:%H:%M}"
    if local.date() == today:
        return time
    week = abs((local.date() - today).days) < 7
    return f"{local:%a} {time}" if week else f"{local.day} {local:%b} {time}"


def both_times(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """`00:00 UTC (02:00 here)`; the local time only where it differs."""
    utc = f"{clock_time(at, now, UTC)} UTC"
    if at.astimezone(zone).utcoffset() == timedelta(0):
        return utc
    return f"{utc} ({clock_time(at, now, zone)} here)"


def usd_of(spent_usd_micros: int, limit_usd_micros: int) -> str:
    """`$3.10 of $6.00`."""
    return f"{format_usd(spent_usd_micros)} of {format_usd(limit_usd_micros)}"


def seconds(duration_s: float) -> str:
    """A tool's run time: `0.4 s`, `12 s`, `2 min 05 s`."""
    if duration_s < 10:
        return f"{duration_s:.1f} s"
    return span(timedelta(seconds=duration_s))


def count(number: int, thing: str) -> str:
    """`1 phase`, `3 phases`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
