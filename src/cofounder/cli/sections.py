"""The parts of the live view, each a pure function from state to lines."""

from datetime import datetime, tzinfo

from rich.text import Text

from cofounder.api.schemas.escalations import EscalationOut, OptionOut
from cofounder.cli.feed import Kind, Line
from cofounder.cli.lines import ends, fitted, indented, rule, wrapped
from cofounder.cli.view_state import ViewState
from cofounder.cli.words import both_times, clean, count, countdown, look, seconds, span
from cofounder.domain.phases import Phase, PhaseStatus
from cofounder.domain.session import ASLEEP, SessionState

_PHASE_LOOKS = {
    PhaseStatus.PENDING: ("○", "bright_black"),
    PhaseStatus.IN_PROGRESS: ("●", "green"),
    PhaseStatus.COMPLETED: ("✓", "green"),
}
_FEED_LOOKS = {
    Kind.SAY: ("»", "bold"),
    Kind.PHASE: ("▶", "bold cyan"),
    Kind.TOOL: ("✓", ""),
    Kind.TOOL_ERROR: ("✗", "red"),
    Kind.STATE: ("☾", "bold blue"),
    Kind.ASK: ("◆", "bold yellow"),
    Kind.TROUBLE: ("▲", "bold red"),
    Kind.WORK: ("✎", "magenta"),
    Kind.QUIET: (" ", "bright_black"),
}
_EXPLAINED = {
    SessionState.QUEUED: "Waits for its turn.",
    SessionState.WAITING_FOR_INPUT: (
        "Nothing is left to do without your answer. Waiting costs nothing."
    ),
    SessionState.PAUSED: "Paused until you lift it: cofounder resume {job_id}",
    SessionState.ERROR: "{note} Try again: cofounder resume {job_id}",
}
_SAID_LINES = 3


def header_lines(view: ViewState, now: datetime, width: int, zone: tzinfo | None) -> list[Text]:
    """State and idea, how far it is, and why it is in this state."""
    shown = look(view.state)
    title = Text.assemble(
        (f"{shown.symbol} {shown.word}", f"bold {shown.style}"), "  ", (clean(view.idea), "bold")
    )
    progress = Text(_progress(view), style="bright_black")
    if width >= 100:
        head = [ends(title, progress, width)]
    else:
        head = [fitted(title, width), fitted(progress, width)]
    return [*head, *wrapped(Text(explanation(view, now, zone)), width, at_most=3)]


def _progress(view: ViewState) -> str:
    calls = f"{view.tool_calls} of {count(view.max_tool_calls, 'tool call')}"
    return f"iteration {view.iteration} · {calls} · {clean(view.model)}"


def explanation(view: ViewState, now: datetime, zone: tzinfo | None) -> str:
    """Why it is in this state, until when, and what a person can do."""
    note = clean(view.note)
    if view.state is SessionState.WORKING:
        return _working(view)
    if view.state in ASLEEP and view.wake_at is not None:
        return f"{note} {_wake(view.wake_at, now, zone)}"
    told = _EXPLAINED.get(view.state, "{note}")
    return told.format(note=note, job_id=view.job_id).strip()


def _working(view: ViewState) -> str:
    doing = next((p for p in view.phases if p.status is PhaseStatus.IN_PROGRESS), None)
    phase = f"In the phase {clean(doing.phase_name)}." if doing else "At work."
    if not view.decisions:
        return phase
    return f"{phase} It goes on with what does not depend on your answer."


def _wake(wake_at: datetime, now: datetime, zone: tzinfo | None) -> str:
    until = f"Wakes {countdown(wake_at, now)}, at {both_times(wake_at, now, zone)}."
    return f"{until} Go on at once with more money: cofounder top-up 5"


def phase_lines(view: ViewState, now: datetime, width: int) -> list[Text]:
    """A checklist, one phase a line."""
    return [_phase_line(phase, now, width) for phase in view.phases]


def _phase_line(phase: Phase, now: datetime, width: int) -> Text:
    symbol, style = _PHASE_LOOKS[phase.status]
    under_way = phase.status is PhaseStatus.IN_PROGRESS
    name = Text.assemble(
        (f"{symbol} ", style), (clean(phase.phase_name), "bold" if under_way else "")
    )
    if phase.started_at is None:
        return fitted(name, width)
    took = (phase.completed_at or now) - phase.started_at
    return ends(name, Text(span(took), style="bright_black"), width)


def phase_strip(view: ViewState, width: int) -> Text:
    """All phases in one line, where there is no room for a list."""
    done = sum(phase.status is PhaseStatus.COMPLETED for phase in view.phases)
    parts = [Text(f"Phases {done}/{len(view.phases)} ", style="bold")]
    for phase in view.phases:
        symbol, style = _PHASE_LOOKS[phase.status]
        parts.append(Text.assemble((f" {symbol} ", style), clean(phase.phase_name)))
    return fitted(Text.assemble(*parts), width)


def decision_lines(decision: EscalationOut, more: int, width: int, height: int) -> list[Text]:
    """A pinned decision in at most `height` lines; the command to answer is always there.

    `more` is how many others are open.
    """
    title = Text("◆ Your decision is needed", style="bold yellow")
    if more:
        title.append(f" (and {count(more, 'other')})", style="yellow")
    answer = f"cofounder resolve {decision.escalation_id} {decision.recommended}"
    room = max(0, height - 2)
    body = _decision_body(decision, width - 2)
    if len(body) > room:
        note = Text("… all of it: cofounder escalations", style="bright_black")
        body = [*body[: max(0, room - 1)], note][:room]
    inside = [*body, Text.assemble(("Answer  ", "bold"), (answer, "bold cyan"))]
    bar = Text("┃ ", style="yellow")
    return [
        rule(title, width, "yellow"),
        *indented([fitted(x, width - 2) for x in inside], bar, bar),
    ]


def _decision_body(decision: EscalationOut, width: int) -> list[Text]:
    lines = wrapped(Text(clean(decision.problem)), width, at_most=4)
    for number, attempt in enumerate(decision.attempts, start=1):
        tried = f"{clean(attempt.approach)} → {clean(attempt.result)}"
        head = "Tried   " if number == 1 else "        "
        lines.append(fitted(Text.assemble((head, "bold"), (tried, "bright_black")), width))
    for option in decision.options:
        lines.extend(_option_lines(option, decision.recommended, width))
    return lines


def _option_lines(option: OptionOut, recommended: str, width: int) -> list[Text]:
    head = Text.assemble((f"{option.id}", "bold cyan"), f"  {clean(option.label)}")
    if option.id == recommended:
        head.append("  ← recommended", style="green")
    if not option.reversible:
        head.append("  cannot be undone", style="red")
    margin = Text("        ")
    first = Text("Option  ", style="bold")
    about = Text(clean(option.description), style="bright_black")
    return [
        *indented([fitted(head, width - margin.cell_len)], first, margin),
        *indented(wrapped(about, width - margin.cell_len, at_most=2), margin, margin),
    ]


def feed_lines(view: ViewState, width: int, height: int, zone: tzinfo | None) -> list[Text]:
    """The newest activity that fits, oldest on top."""
    rows: list[Text] = []
    for line in reversed(view.feed):
        if len(rows) >= height:
            break
        if line.kind is not Kind.QUIET:
            rows = [*_feed_entry(line, width, zone), *rows]
    return rows[-height:] if height > 0 else []


def _feed_entry(line: Line, width: int, zone: tzinfo | None) -> list[Text]:
    symbol, style = _FEED_LOOKS[line.kind]
    stamp = Text.assemble(
        (f"{line.at.astimezone(zone):%H:%M:%S} ", "bright_black"), (f"{symbol} ", style)
    )
    room = width - stamp.cell_len
    if line.kind is Kind.SAY:
        return indented(
            wrapped(Text(line.head, style=style), room, at_most=_SAID_LINES),
            stamp,
            Text(" " * stamp.cell_len),
        )
    said = Text.assemble((line.head, style), "  ", (line.text, "bright_black"))
    if line.duration_s is None:
        return [Text.assemble(stamp, fitted(said, room))]
    took = Text(seconds(line.duration_s), style="bright_black")
    return [Text.assemble(stamp, ends(said, took, room))]
