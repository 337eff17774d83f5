"""The moves of a session, each with its events and its durable dispatch, in one place."""

from dataclasses import replace
from datetime import datetime

from cofounder.agent.prompt import wake_note
from cofounder.domain.budget import DayBudget
from cofounder.domain.events import Origin
from cofounder.domain.events.agent import (
    BudgetExceeded,
    BudgetUpdated,
    Failed,
    Sleeping,
    StateChanged,
    Waking,
)
from cofounder.domain.session import ASLEEP, Session, SessionState, check_move
from cofounder.ports.clock import Clock
from cofounder.ports.engine import Engine
from cofounder.ports.store import InboxItem, InboxKind, Transaction

HANDOVER = "handover"
BUDGET_REASON = "budget"
PROVIDER_REASON = "provider"


class Transitions:
    """Every method takes a session that `tx` has locked and returns it as saved."""

    def __init__(self, *, clock: Clock, engine: Engine) -> None:
        """The engine dispatches the turns that a move asks for."""
        self._clock, self._engine = clock, engine

    def origin(self, session: Session) -> Origin:
        """Envelope fields of an event that happens now."""
        return Origin(at=self._clock.now(), job_id=session.job_id, session_id=session.session_id)

    async def move(
        self, tx: Transaction, session: Session, target: SessionState, reason: str
    ) -> Session:
        """Change the state and say so. A session that does not sleep has no `wake_at`."""
        check_move(session.state, target)
        moved = replace(session, state=target)
        if target not in ASLEEP:
            moved = replace(moved, wake_at=None, sleep_reason=None)
        await tx.sessions.save(moved)
        tx.emit(
            StateChanged(
                **self.origin(session), from_state=session.state, to_state=target, reason=reason
            )
        )
        return moved

    async def sleep(
        self, tx: Transaction, session: Session, wake_at: datetime, message: str, reason: str
    ) -> Session:
        """Sleep until `wake_at`; the wake-up is enqueued in the same transaction."""
        asleep = _bedded(session, wake_at, reason)
        asleep = await self.move(tx, asleep, SessionState.SLEEPING, message)
        tx.emit(
            Sleeping(
                **self.origin(session),
                message=message,
                budget_pct=session.budget_pct,
                wake_at=wake_at,
                reason=reason,
            )
        )
        await self._dispatch(tx, asleep, wake_at)
        return asleep

    async def exceed(
        self, tx: Transaction, session: Session, wake_at: datetime, message: str
    ) -> Session:
        """The ceiling was crossed: a sleep with another name, with its own wake-up."""
        asleep = _bedded(session, wake_at, BUDGET_REASON)
        asleep = await self.move(tx, asleep, SessionState.BUDGET_EXCEEDED, message)
        tx.emit(BudgetExceeded(**self.origin(session), message=message, wake_at=wake_at))
        await self._dispatch(tx, asleep, wake_at)
        return asleep

    async def doze_on(self, tx: Transaction, session: Session, wake_at: datetime) -> Session:
        """Sleep on without waking: dispatched too early, or there is still no money."""
        later = replace(session, wake_at=wake_at, turn=session.turn + 1)
        await tx.sessions.save(later)
        if wake_at != session.wake_at:
            tx.emit(
                Sleeping(
                    **self.origin(session),
                    message="There is still no budget to go on with.",
                    budget_pct=session.budget_pct,
                    wake_at=wake_at,
                    reason=session.sleep_reason or BUDGET_REASON,
                )
            )
        await self._dispatch(tx, later, wake_at)
        return later

    async def wake(self, tx: Transaction, session: Session, reason: str) -> Session:
        """End a sleep: the hand-over note is what the agent reads first. Not dispatched yet."""
        note = await tx.work.document(session.job_id, HANDOVER)
        item = InboxItem(
            source_id=f"wake:{session.turn}",
            kind=InboxKind.NOTE,
            text=wake_note(note.content if note else None, reason),
        )
        now = self._clock.now()
        await tx.conversation.put(session.session_id, item, now)
        awake = await self.move(tx, session, SessionState.QUEUED, reason)
        tx.emit(Waking(**self.origin(session), message=f"Awake: {reason}.", reason=reason))
        return awake

    async def queue(self, tx: Transaction, session: Session, reason: str) -> Session:
        """Dispatch the session's next turn now, waking it when it sleeps.

        The next turn number makes a delayed dispatch of the old one a no-op.
        """
        session = replace(session, turn=session.turn + 1, barren_starts=0, problem=None)
        if session.state in ASLEEP:
            queued = await self.wake(tx, session, reason)
        else:
            queued = await self.move(tx, session, SessionState.QUEUED, reason)
        await self._engine.enqueue(tx, queued.session_id, queued.turn)
        return queued

    async def fail(self, tx: Transaction, session: Session, problem: str) -> Session:
        """End in error, with the problem in plain words; a person may retry."""
        failed = await self.move(tx, replace(session, problem=problem), SessionState.ERROR, problem)
        tx.emit(Failed(**self.origin(session), problem=problem))
        return failed

    async def show_budget(self, tx: Transaction, session: Session, day: DayBudget) -> Session:
        """Write `budget_pct` and say so: after every call's cost and every new allowance."""
        shown = replace(session, budget_pct=day.budget_pct)
        await tx.sessions.save(shown)
        tx.emit(
            BudgetUpdated(
                **self.origin(session),
                budget_pct=day.budget_pct,
                spent=day.spent_usd_micros,
                limit=day.allowance_usd_micros,
            )
        )
        return shown

    async def _dispatch(self, tx: Transaction, session: Session, at: datetime) -> None:
        delay_s = max(0.0, (at - self._clock.now()).total_seconds())
        await self._engine.enqueue(tx, session.session_id, session.turn, delay_s=delay_s)


def _bedded(session: Session, wake_at: datetime, reason: str) -> Session:
    """Ready for its night: the next turn number is the wake-up's, the wind-down is over."""
    return replace(
        session,
        wake_at=wake_at,
        sleep_reason=reason,
        turn=session.turn + 1,
        wind_down_left=None,
        barren_starts=0,
    )
