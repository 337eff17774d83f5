"""The parts of the live view, each a pure function from state to lines."""

from datetime import datetime, tzinfo

from rich.text import Text

from cofounder.api.schemas.escalations import EscalationOut, OptionOut
from cofounder.cli.feed import Kind, Line
from cofounder.cli.lines import ends, fitted, indented, rule, wrapped
from cofounder.cli.view_state import ViewState
from cofounder.cli.words import both_times, clean, count, countdown, look, roughly, seconds
from cofounder.domain.money import format_usd
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
    Kind.SLEEP: ("☾", "bold blue"),
    Kind.STATE: ("•", "bold"),
    Kind.DONE: ("✓", "bold green"),
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
_WORTH_SAYING_S = 0.1
_BAR = Text("┃ ", style="yellow")
_MARGIN = Text(" " * 8)


def header_lines(view: ViewState, now: datetime, width: int, zone: tzinfo | None) -> list[Text]:
    """State and idea, how far it is, and why it is in this state."""
    shown = look(view.state)
    title = Text.assemble(
        (f"{shown.symbol} {shown.word}", f"bold {shown.style}"), "  ", (clean(view.idea), "bold")
    )
    progress = Text(_progress(view), style="bright_black")
    head = [fitted(title, width), fitted(progress, width)]
    return [*head, *wrapped(Text(explanation(view, now, zone)), width, at_most=3)]


def _progress(view: ViewState) -> str:
    calls = f"{view.tool_calls} of {count(view.max_tool_calls, 'tool call')}"
    spent = f"{format_usd(view.spent_usd_micros)} spent"
    return f"iteration {view.iteration} · {calls} · {spent} · {clean(view.model)}"


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
    return ends(name, Text(roughly(took), style="bright_black"), width)


def phase_strip(view: ViewState, width: int) -> Text:
    """All phases in one line, where there is no room for a list."""
    done = sum(phase.status is PhaseStatus.COMPLETED for phase in view.phases)
    parts = [Text(f"Phases {done}/{len(view.phases)} ", style="bold")]
    for phase in view.phases:
        symbol, style = _PHASE_LOOKS[phase.status]
        parts.append(Text.assemble((f" {symbol} ", style), clean(phase.phase_name)))
    return fitted(Text.assemble(*parts), width)


def decision_lines(
    decision: EscalationOut, width: int, *, height: int | None = None, others: int = 0
) -> list[Text]:
    """A decision in at most `height` lines; the command to answer is always among them.

    `others` is how many more are open.
    """
    inner = width - _BAR.cell_len
    body, answer = _decision_body(decision, inner, clip=False), _answer(decision, inner)
    room = len(body) if height is None else max(0, height - 1 - len(answer))
    if len(body) > room:
        body = _decision_body(decision, inner, clip=True)
    if len(body) > room:
        note = Text("… the rest of it: cofounder escalations", style="bright_black")
        body = [*body[: max(0, room - 1)], note][:room]
    title = rule(_decision_title(decision, others), width, "yellow")
    return [title, *indented([*body, *answer], _BAR, _BAR)]


def _decision_title(decision: EscalationOut, others: int) -> Text:
    if decision.answer is not None:
        return Text(f"✓ Decided {decision.answer.resolved_at:%Y-%m-%d %H:%M} UTC", style="green")
    more = f" (and {count(others, 'other')})" if others else ""
    return Text.assemble(("◆ Your decision is needed", "bold yellow"), (more, "yellow"))


def _answer(decision: EscalationOut, width: int) -> list[Text]:
    head, room = Text("Answer  ", style="bold"), width - _MARGIN.cell_len
    if decision.answer is not None:
        given = decision.answer
        guidance = f" ({given.guidance})" if given.guidance else ""
        told = Text(clean(f"{given.decision}, by {given.resolved_by}{guidance}"))
        return indented(wrapped(told, room), head, _MARGIN)
    command = f"cofounder resolve {decision.escalation_id} {decision.recommended}"
    return indented(wrapped(Text(command, style="bold cyan"), room), head, _MARGIN)


def _decision_body(decision: EscalationOut, width: int, *, clip: bool) -> list[Text]:
    lines = wrapped(Text(clean(decision.problem)), width, at_most=4 if clip else None)
    room = width - _MARGIN.cell_len
    for number, attempt in enumerate(decision.attempts):
        tried = Text(f"{clean(attempt.approach)} → {clean(attempt.result)}", style="bright_black")
        head = Text("Tried   " if number == 0 else _MARGIN.plain, style="bold")
        lines.extend(indented(wrapped(tried, room, at_most=1 if clip else None), head, _MARGIN))
    for option in decision.options:
        head = Text("Option  ", style="bold")
        about = Text(clean(option.description), style="bright_black")
        named = wrapped(_option_head(option, decision.recommended), room)
        lines.extend(indented(named, head, _MARGIN))
        lines.extend(indented(wrapped(about, room, at_most=1 if clip else None), _MARGIN, _MARGIN))
    return lines


def _option_head(option: OptionOut, recommended: str) -> Text:
    head = Text.assemble((option.id, "bold cyan"), f"  {clean(option.label)}")
    if option.id == recommended:
        head.append("  recommended", style="green")
    if not option.reversible:
        head.append("  cannot be undone", style="red")
    return head


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
    stamp = Text(f"{line.at.astimezone(zone):%H:%M:%S} ", style="bright_black")
    stamp.append(f"{symbol} ", style=style)
    room = width - stamp.cell_len
    if line.kind is not Kind.SAY:
        return [Text.assemble(stamp, _happened(line, style, room))]
    said = wrapped(Text(line.head, style=style), room, at_most=_SAID_LINES)
    return indented(said, stamp, Text(" " * stamp.cell_len))


def _happened(line: Line, style: str, width: int) -> Text:
    took = Text("")
    if line.duration_s is not None and line.duration_s >= _WORTH_SAYING_S:
        took = Text(f" {seconds(line.duration_s)}", style="bright_black")
    room = width - took.cell_len
    text = Text(line.text, style="bright_black")
    # What came of it is worth more than the end of a long command.
    head = fitted(Text(line.head, style=style), max(room // 2, room - text.cell_len - 2))
    said = fitted(Text.assemble(head, "  ", text), room, pad=took.cell_len > 0)
    return Text.assemble(said, took)
