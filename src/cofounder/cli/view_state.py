"""What the live view knows: a status snapshot, and the events since, applied in order.

Everything here is pure. `stale` asks whoever holds the state to read the status again: an
event was missed, or one told of something that it does not carry.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import singledispatch

from cofounder.api.schemas.budget import DayOut
from cofounder.api.schemas.escalations import EscalationOut
from cofounder.api.schemas.jobs import PhaseOut, StatusOut
from cofounder.cli.feed import Line, line_of
from cofounder.domain.budget import DayBudget
from cofounder.domain.events import Envelope
from cofounder.domain.events.agent import (
    BudgetExceeded,
    BudgetUpdated,
    Completed,
    EscalationResolved,
    Failed,
    Sleeping,
    StateChanged,
    Thinking,
    ToolCalled,
    WaitingForInput,
)
from cofounder.domain.events.work import PhaseCompleted, PhaseStarted
from cofounder.domain.ids import OwnerId
from cofounder.domain.phases import Phase
from cofounder.domain.schedule import Span
from cofounder.domain.session import ASLEEP, SessionState

FEED_LINES = 500


@dataclass(frozen=True, kw_only=True)
class ViewState:
    """One job as it is shown.

    `note` is what the agent said last about its state. `skew` is the server's clock minus
    ours: instants are compared with our clock plus `skew`, and never counted down.
    """

    job_id: str
    idea: str
    model: str
    state: SessionState
    note: str
    wake_at: datetime | None
    epoch: str
    last_seq: int
    iteration: int
    tool_calls: int
    max_tool_calls: int
    day: DayBudget
    spent_usd_micros: int
    phases: tuple[Phase, ...]
    decisions: tuple[EscalationOut, ...]
    feed: tuple[Line, ...]
    skew: timedelta
    stale: bool = False


def opened(status: StatusOut, now: datetime, known: ViewState | None = None) -> ViewState:
    """The state after a read of the status at `now` on our clock; keeps the feed of `known`."""
    recent = [line_of(event) for event in status.recent]
    before = known.feed if known and known.epoch == status.epoch else ()
    first = recent[0].seq if recent else status.last_seq + 1
    feed = (*(line for line in before if line.seq < first), *recent)
    return ViewState(
        job_id=status.job_id,
        idea=status.idea_brief,
        model=status.model,
        state=status.state,
        note=status.problem or _last_note(status.recent),
        wake_at=status.wake_at,
        epoch=status.epoch,
        last_seq=status.last_seq,
        iteration=status.iteration,
        tool_calls=status.tool_calls,
        max_tool_calls=status.max_tool_calls,
        day=budget_day(status.budget),
        spent_usd_micros=status.spent_usd_micros,
        phases=tuple(_phase(phase) for phase in status.phases),
        decisions=tuple(status.pending_escalations),
        feed=feed[-FEED_LINES:],
        skew=status.server_time - now,
    )


def _last_note(recent: Sequence[Envelope]) -> str:
    for event in reversed(recent):
        match event:
            case Sleeping() | BudgetExceeded() | Completed():
                return event.message
            case Failed():
                return event.problem
            case StateChanged():
                return event.reason
    return ""


def _phase(phase: PhaseOut) -> Phase:
    return Phase(
        phase_id=phase.phase_id,
        phase_name=phase.phase_name,
        status=phase.status,
        started_at=phase.started_at,
        completed_at=phase.completed_at,
    )


def budget_day(day: DayOut) -> DayBudget:
    """The day as the domain reckons with it; what the cycle has left is not known here."""
    return DayBudget(
        owner_id=OwnerId(""),
        day=Span(start=day.started_at, end=day.refresh_at),
        base_usd_micros=day.limit_usd_micros - day.top_up_usd_micros,
        top_up_usd_micros=day.top_up_usd_micros,
        cycle_left_usd_micros=day.limit_usd_micros,
        spent_usd_micros=day.spent_usd_micros,
        reserved_usd_micros=day.reserved_usd_micros,
    )


def applied(view: ViewState, event: Envelope) -> ViewState:
    """The state after one more event: lower ones are dropped, the next one is applied.

    After a gap, or an event of another log, the state is marked stale.
    """
    if event.epoch != view.epoch or event.seq > view.last_seq + 1:
        return replace(view, stale=True)
    if event.seq <= view.last_seq:
        return view
    view = _changed(event, view)
    feed = (*view.feed, line_of(event))[-FEED_LINES:]
    return replace(view, last_seq=event.seq, feed=feed)


@singledispatch
def _changed(event: Envelope, view: ViewState) -> ViewState:
    return view


@_changed.register
def _(event: StateChanged, view: ViewState) -> ViewState:
    asleep = event.to_state in ASLEEP
    return replace(
        view,
        state=event.to_state,
        note=event.reason,
        wake_at=view.wake_at if asleep else None,
    )


@_changed.register(Sleeping)
@_changed.register(BudgetExceeded)
def _(event: Sleeping | BudgetExceeded, view: ViewState) -> ViewState:
    return replace(view, note=event.message, wake_at=event.wake_at)


@_changed.register
def _(event: BudgetUpdated, view: ViewState) -> ViewState:
    base = event.limit - view.day.top_up_usd_micros
    day = replace(view.day, spent_usd_micros=event.spent, base_usd_micros=base)
    return replace(view, day=day)


@_changed.register
def _(event: Thinking, view: ViewState) -> ViewState:
    return replace(view, iteration=event.iteration)


@_changed.register
def _(event: ToolCalled, view: ViewState) -> ViewState:
    return replace(view, tool_calls=view.tool_calls + 1)


@_changed.register
def _(event: WaitingForInput, view: ViewState) -> ViewState:
    # The event names the decision only; its words have to be read.
    return replace(view, stale=True)


@_changed.register
def _(event: EscalationResolved, view: ViewState) -> ViewState:
    still = tuple(d for d in view.decisions if d.escalation_id != event.escalation_id)
    return replace(view, decisions=still)


@_changed.register
def _(event: Completed, view: ViewState) -> ViewState:
    return replace(view, note=event.message)


@_changed.register
def _(event: Failed, view: ViewState) -> ViewState:
    return replace(view, note=event.problem)


@_changed.register(PhaseStarted)
@_changed.register(PhaseCompleted)
def _(event: PhaseStarted | PhaseCompleted, view: ViewState) -> ViewState:
    phase = Phase(
        phase_id=event.phase_id,
        phase_name=event.phase_name,
        status=event.status,
        started_at=event.started_at,
        completed_at=event.completed_at if isinstance(event, PhaseCompleted) else None,
    )
    known = any(p.phase_id == phase.phase_id for p in view.phases)
    if not known:
        return replace(view, phases=(*view.phases, phase))
    phases = tuple(phase if p.phase_id == phase.phase_id else p for p in view.phases)
    return replace(view, phases=phases)
