"""The queue of turns for tests: in memory, run by hand, with a clock that is handed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cofounder.domain.ids import SessionId
from cofounder.ports.clock import Clock
from cofounder.ports.engine import TurnHandler
from cofounder.ports.store import Transaction

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Turn:
    session_id: SessionId
    turn: int
    due: datetime


class InlineEngine:
    """`ports.engine.Engine` without threads and without a database.

    Turns run one after the other inside `run_due`, and only there. Where it differs from a
    real engine: a turn is taken at once and not when its transaction commits, so one whose
    transaction is rolled back runs all the same; nothing outlives the object; and `stop`
    neither waits for a running turn nor gives it up, because `run_due` awaits it.
    """

    def __init__(self, clock: Clock) -> None:
        """`clock` says when a delayed turn is due."""
        self._clock = clock
        self._waiting: list[_Turn] = []
        self._known: set[tuple[SessionId, int]] = set()
        self._handler: TurnHandler | None = None
        self._stopping = False

    async def enqueue(
        self, tx: Transaction, session_id: SessionId, turn: int, *, delay_s: float = 0.0
    ) -> None:
        """Take the turn, to be run when `delay_s` seconds have passed on the clock.

        A turn that was enqueued before is left as it is.
        """
        if (session_id, turn) in self._known:
            return
        self._known.add((session_id, turn))
        due = self._clock.now() + timedelta(seconds=max(0.0, delay_s))
        self._waiting.append(_Turn(session_id=session_id, turn=turn, due=due))

    async def start(self, handler: TurnHandler) -> None:
        """From now on `run_due` runs turns with `handler`."""
        self._handler, self._stopping = handler, False

    @property
    def stopping(self) -> bool:
        """Whether turns are asked to end after their running iteration."""
        return self._stopping

    async def stop(self, *, grace_s: float) -> None:
        """Let no further turn begin; what waits is kept for the next start."""
        self._handler, self._stopping = None, True

    async def run_due(self) -> int:
        """Run the turns that are due, the earliest first, and those that they enqueue.

        Returns how many ran. A turn that raises is logged, and gone.
        """
        ran = 0
        while self._handler is not None and (due := self._next_due()):
            self._waiting.remove(due)
            await self._run(self._handler, due)
            ran += 1
        return ran

    def _next_due(self) -> _Turn | None:
        now = self._clock.now()
        due = [turn for turn in self._waiting if turn.due <= now]
        return min(due, key=lambda turn: turn.due, default=None)

    async def _run(self, handler: TurnHandler, turn: _Turn) -> None:
        try:
            await handler(turn.session_id, turn.turn)
        except Exception as error:  # as in the real engine, it ends that turn and nothing else
            _LOG.error("turn failed", session_id=turn.session_id, turn=turn.turn, exc_info=error)
