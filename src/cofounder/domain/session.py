"""A session's life: its states, the moves between them, and its frozen record."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cofounder.domain.errors import ConflictError
from cofounder.domain.ids import JobId, OwnerId, SessionId


class SessionState(StrEnum):
    """What a session is doing, in the contract's words."""

    QUEUED = "queued"
    WORKING = "working"
    SLEEPING = "sleeping"
    WAITING_FOR_INPUT = "waiting_for_input"
    PAUSED = "paused"
    BUDGET_EXCEEDED = "budget_exceeded"
    ERROR = "error"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


_S = SessionState
ENDED = frozenset({_S.COMPLETED, _S.CANCELLED})
ASLEEP = frozenset({_S.SLEEPING, _S.BUDGET_EXCEEDED})
_STOPPABLE = frozenset({_S.PAUSED, _S.CANCELLED})

MOVES: dict[SessionState, frozenset[SessionState]] = {
    _S.QUEUED: frozenset({_S.WORKING}) | _STOPPABLE,
    _S.WORKING: frozenset(
        {
            _S.QUEUED,
            _S.SLEEPING,
            _S.BUDGET_EXCEEDED,
            _S.WAITING_FOR_INPUT,
            _S.COMPLETED,
            _S.ERROR,
        }
    )
    | _STOPPABLE,
    _S.SLEEPING: frozenset({_S.QUEUED}) | _STOPPABLE,
    _S.BUDGET_EXCEEDED: frozenset({_S.QUEUED}) | _STOPPABLE,
    _S.WAITING_FOR_INPUT: frozenset({_S.QUEUED}) | _STOPPABLE,
    _S.PAUSED: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.ERROR: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    _S.CANCELLED: frozenset(),
}


def check_move(current: SessionState, target: SessionState) -> None:
    """Raise `ConflictError` when the state machine has no such move."""
    if target not in MOVES[current]:
        raise ConflictError(
            f"A session that is {current.value} cannot become {target.value}.",
            cure="Look at its state and at what is allowed from there.",
        )


@dataclass(frozen=True, kw_only=True)
class Session:
    """One life of the agent on a job.

    `turn` numbers engine dispatches: only the dispatch with the present number may claim.
    `fence` is raised by every claim and checked by every write of the worker.
    `wind_down_left` counts the closing iterations, None outside a wind-down.
    `needs_usd_micros` must be free for it to get on after a sleep, 0 when unknown.
    `barren_starts` counts claims since the last finished iteration.
    """

    session_id: SessionId
    job_id: JobId
    owner_id: OwnerId
    state: SessionState
    turn: int
    fence: int
    iteration: int
    tool_calls: int
    message_count: int
    budget_pct: int
    wake_at: datetime | None
    sleep_reason: str | None
    wind_down_left: int | None
    current_phase: str | None
    needs_usd_micros: int
    barren_starts: int
    problem: str | None
