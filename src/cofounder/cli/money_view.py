"""The budget as a bar, its marks, and one sentence."""

from datetime import datetime, tzinfo

from rich.text import Text

from cofounder.cli.lines import fitted
from cofounder.cli.words import both_times, clock_time, usd_of
from cofounder.domain.budget import GRACEFUL_PCT, DayBudget, Pace, forecast

_PACE_WORDS = {Pace.AHEAD: "ahead of pace", Pace.ON: "on pace", Pace.BEHIND: "behind pace"}
_LABEL = "Budget  "
_PCT_CELLS = 7


def money_sentence(budget: DayBudget, now: datetime, zone: tzinfo | None) -> str:
    """`$3.10 of $6.00 · ahead of pace · runs out 16:40`."""
    spent, limit = budget.spent_usd_micros, budget.allowance_usd_micros
    refresh = both_times(budget.day.end, now, zone)
    if limit <= 0:
        return f"No allowance today · the next one comes at {refresh}"
    if spent >= limit:
        return f"{usd_of(spent, limit)} · used up · the next allowance comes at {refresh}"
    if budget.at_graceful_threshold:
        return f"{usd_of(spent, limit)} · nearly used · the next allowance comes at {refresh}"
    ahead = forecast(budget, now)
    ending = f"lasts until the refresh at {clock_time(budget.day.end, now, zone)}"
    if ahead.runs_out_at is not None:
        ending = f"runs out {clock_time(ahead.runs_out_at, now, zone)}"
    return f"{usd_of(spent, limit)} · {_PACE_WORDS[ahead.pace]} · {ending}"


def money_lines(budget: DayBudget, now: datetime, width: int, zone: tzinfo | None) -> list[Text]:
    """Bar, marks and sentence: three lines."""
    cells = max(10, width - len(_LABEL) - _PCT_CELLS)
    margin = " " * len(_LABEL)
    spent_pct = _spent_pct(budget)
    marks = _marks(forecast(budget, now).pace_pct, cells)
    lines = (
        Text.assemble((_LABEL, "bold"), _bar(spent_pct, cells), f" {spent_pct:>4d} %"),
        Text.assemble(margin, (marks, "bright_black")),
        Text.assemble(margin, money_sentence(budget, now, zone)),
    )
    return [fitted(line, width) for line in lines]


def _spent_pct(budget: DayBudget) -> int:
    """As it is, beyond 100 too; without an allowance everything is used up."""
    limit = budget.allowance_usd_micros
    return 100 * budget.spent_usd_micros // limit if limit > 0 else 100


def _bar(spent_pct: int, cells: int) -> Text:
    full = min(cells, cells * spent_pct // 100)
    style = "green" if spent_pct < GRACEFUL_PCT else "yellow" if spent_pct < 100 else "red"
    return Text.assemble(("█" * full, style), ("░" * (cells - full), "bright_black"))


def _marks(pace_pct: int, cells: int) -> str:
    """A tick where the clock stands, and one where the session winds down."""
    row = [" "] * cells
    graceful = min(cells - 1, cells * GRACEFUL_PCT // 100)
    pace = min(cells - 1, cells * pace_pct // 100)
    _put(row, graceful, f"╵{GRACEFUL_PCT}%")
    row[pace] = "▲"
    label = f"{pace_pct} % of the day is over"
    _put(row, pace + 2, label) or _put(row, pace - 1 - len(label), label)
    return "".join(row)


def _put(row: list[str], at: int, text: str) -> bool:
    """Write into free cells; False when there is no room."""
    span = slice(at, at + len(text))
    if at < 0 or at + len(text) > len(row) or any(cell != " " for cell in row[span]):
        return False
    row[span] = text
    return True
