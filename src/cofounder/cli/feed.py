"""Events as lines for people, one line an event."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import singledispatch

from cofounder.cli.words import clean, look, usd_of
from cofounder.domain.events import Envelope
from cofounder.domain.events.agent import (
    BudgetExceeded,
    BudgetUpdated,
    BuildPaused,
    Completed,
    EscalationResolved,
    Failed,
    Narrated,
    Retrying,
    Sleeping,
    StateChanged,
    Thinking,
    ToolCalled,
    WaitingForInput,
    Waking,
)
from cofounder.domain.events.work import (
    DocumentUpdated,
    PhaseCompleted,
    PhaseStarted,
    SnapshotUpdated,
)
from cofounder.domain.session import SessionState

_BY_HAND = frozenset({SessionState.PAUSED, SessionState.CANCELLED})

# What these tools do has an event of its own.
_SELF_TOLD = frozenset({"ask_founder", "document", "narrate", "take_screenshot"})


class Kind(StrEnum):
    """How prominent a line is; `QUIET` ones are left out of the live view."""

    SAY = "say"
    PHASE = "phase"
    TOOL = "tool"
    TOOL_ERROR = "tool_error"
    SLEEP = "sleep"
    STATE = "state"
    DONE = "done"
    ASK = "ask"
    TROUBLE = "trouble"
    WORK = "work"
    QUIET = "quiet"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line; `head` and `text` are safe for a terminal, `duration_s` is a tool's run time."""

    seq: int
    at: datetime
    kind: Kind
    head: str
    text: str
    duration_s: float | None


def line_of(event: Envelope) -> Line:
    """What an event says. An event of a later version of the service says its type."""
    kind, head, text = _told(event)
    return Line(
        seq=event.seq,
        at=event.at,
        kind=kind,
        head=clean(head),
        text=clean(text),
        duration_s=event.duration if isinstance(event, ToolCalled) else None,
    )


@singledispatch
def _told(event: Envelope) -> tuple[Kind, str, str]:
    return Kind.QUIET, str(getattr(event, "type", "event")), ""


@_told.register
def _(event: Thinking) -> tuple[Kind, str, str]:
    return Kind.QUIET, "Thinking", f"iteration {event.iteration}"


@_told.register
def _(event: ToolCalled) -> tuple[Kind, str, str]:
    kind = Kind.TOOL_ERROR if event.is_error else Kind.TOOL
    if event.tool_name in _SELF_TOLD and not event.is_error:
        kind = Kind.QUIET
    return kind, event.tool_label, event.tool_summary


@_told.register
def _(event: Narrated) -> tuple[Kind, str, str]:
    return Kind.SAY, event.text, ""


@_told.register
def _(event: BudgetUpdated) -> tuple[Kind, str, str]:
    spent = usd_of(event.spent, event.limit)
    return Kind.QUIET, "Budget", f"{spent}, {event.budget_pct} %"


@_told.register
def _(event: Sleeping) -> tuple[Kind, str, str]:
    return Kind.SLEEP, "Goes to sleep", f"{event.message} Wakes {_utc(event.wake_at)}."


@_told.register
def _(event: Waking) -> tuple[Kind, str, str]:
    return Kind.SLEEP, "Wakes up", event.message


@_told.register
def _(event: BudgetExceeded) -> tuple[Kind, str, str]:
    return Kind.TROUBLE, "Hard ceiling", f"{event.message} Wakes {_utc(event.wake_at)}."


@_told.register
def _(event: Retrying) -> tuple[Kind, str, str]:
    again = f"again at {_utc(event.retry_at)} (retry {event.attempt})"
    return Kind.TROUBLE, "Model call failed", f"{again}: {event.error_type}"


@_told.register
def _(event: WaitingForInput) -> tuple[Kind, str, str]:
    return Kind.ASK, "Asks for a decision", event.escalation_id


@_told.register
def _(event: EscalationResolved) -> tuple[Kind, str, str]:
    return Kind.ASK, "Decided", event.resolution


@_told.register
def _(event: BuildPaused) -> tuple[Kind, str, str]:
    return Kind.TROUBLE, "Build paused", event.reason


@_told.register
def _(event: StateChanged) -> tuple[Kind, str, str]:
    # The other moves have an event of their own that says more.
    by_hand = {event.from_state, event.to_state} & _BY_HAND
    return Kind.STATE if by_hand else Kind.QUIET, look(event.to_state).word, event.reason


@_told.register
def _(event: Completed) -> tuple[Kind, str, str]:
    return Kind.DONE, "Completed", event.message


@_told.register
def _(event: Failed) -> tuple[Kind, str, str]:
    return Kind.TROUBLE, "Failed", event.problem


@_told.register
def _(event: PhaseStarted) -> tuple[Kind, str, str]:
    return Kind.PHASE, event.phase_name, "begun"


@_told.register
def _(event: PhaseCompleted) -> tuple[Kind, str, str]:
    return Kind.DONE, event.phase_name, "done"


@_told.register
def _(event: DocumentUpdated) -> tuple[Kind, str, str]:
    return Kind.WORK, f"Document {event.name}", f"version {event.version}"


@_told.register
def _(event: SnapshotUpdated) -> tuple[Kind, str, str]:
    return Kind.WORK, "Picture", event.path


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%H:%M:%S} UTC"
