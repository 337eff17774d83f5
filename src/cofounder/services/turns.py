"""Turns: claiming a session, working on it, and picking up what a crash left behind."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import structlog

from cofounder.agent.journal import Turn
from cofounder.agent.kit import Kit
from cofounder.agent.loop import run_turn
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import Registry
from cofounder.domain.budget import can_work, is_out_of_reach, next_chance
from cofounder.domain.errors import (
    CofounderError,
    FenceLostError,
    StoreUnavailableError,
)
from cofounder.domain.ids import SessionId
from cofounder.domain.session import ASLEEP, Session, SessionState
from cofounder.domain.transcript import unanswered
from cofounder.ports.model import Model
from cofounder.ports.sandbox import Sandbox
from cofounder.ports.store import Transaction
from cofounder.services.context import Context
from cofounder.services.journal import StoreJournal
from cofounder.services.observation import append_inbox
from cofounder.services.transitions import BUDGET_REASON

_LOG = structlog.get_logger(__name__)
MAX_BARREN_STARTS = 5
_HELD = frozenset({SessionState.PAUSED, SessionState.ERROR, SessionState.CANCELLED})
_FIRST_STORE_WAIT_S = 1.0
_LONGEST_STORE_WAIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class AgentParts:
    """What a turn needs besides the store. `max_tokens` bounds a reply."""

    model: Model
    sandbox: Sandbox
    tools: Registry
    retry: RetryPolicy
    max_tokens: int


class TurnService:
    """Runs turns: the engine's handler."""

    def __init__(self, context: Context, parts: AgentParts) -> None:
        """`running` are the turns of this process, so that a cancel reaches them at once."""
        self._context, self._parts = context, parts
        self._journal = StoreJournal(context)
        self._running: dict[SessionId, Turn] = {}
        # Each for as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[SessionId, asyncio.Lock] = WeakValueDictionary()
        context.escalations.when_stopped(self.interrupt)

    async def advance(self, session_id: SessionId, turn_number: int) -> None:
        """Claim the session for this turn and work until it has to stop.

        A turn number that is not the session's present one is a dispatch that was
        overtaken (an early wake, a pause): nothing happens then.
        """
        lock = self._locks.setdefault(session_id, asyncio.Lock())
        # A resumed session must not start before its last command in here has ended.
        async with lock:
            await self._persist(session_id, turn_number)

    def interrupt(self, session_id: SessionId) -> None:
        """End at once what the session runs in the sandbox."""
        if turn := self._running.get(session_id):
            turn.interrupt.set()

    async def _persist(self, session_id: SessionId, turn_number: int) -> None:
        """Advance; when the database is away, wait for it and claim the turn again."""
        wait_s = _FIRST_STORE_WAIT_S
        while True:
            try:
                await self._advance(session_id, turn_number)
            except StoreUnavailableError as error:
                _LOG.warning("store_unavailable", session_id=session_id, why=error.message)
                await self._context.clock.sleep(wait_s)
                wait_s = min(2 * wait_s, _LONGEST_STORE_WAIT_S)
            else:
                return

    async def _advance(self, session_id: SessionId, turn_number: int) -> None:
        turn = await self._claimed(session_id, turn_number)
        if turn is None:
            return
        self._running[session_id] = turn
        try:
            await run_turn(turn, await self._kit(turn))
        except FenceLostError:
            _LOG.warning("fence_lost", session_id=session_id, turn=turn_number)
        except StoreUnavailableError:
            raise
        except CofounderError as error:
            await self._end_in_error(turn, f"{error.message} {error.cure}".strip())
        except Exception as error:  # a defect ends in a visible state, not in a silent stop
            _LOG.exception("turn_failed", session_id=session_id, turn=turn_number)
            await self._end_in_error(turn, f"Internal error: {type(error).__name__}: {error}")
        finally:
            self._running.pop(session_id, None)

    async def _end_in_error(self, turn: Turn, problem: str) -> None:
        # Who has claimed the session since goes on with it.
        with suppress(FenceLostError):
            await self._journal.fail(turn, problem)

    async def _claimed(self, session_id: SessionId, turn_number: int) -> Turn | None:
        """The turn, or None; what makes a claim impossible is seen, and ends the dispatches."""
        try:
            return await self._claim(session_id, turn_number)
        except StoreUnavailableError:
            raise
        except Exception as error:  # the session would stay queued, with nobody to take it
            _LOG.exception("claim_failed", session_id=session_id, turn=turn_number)
            problem = f"The turn could not begin: {type(error).__name__}: {error}"
        async with self._context.store.writing() as tx:
            session = await tx.sessions.lock(session_id)
            if session is not None and session.turn == turn_number:
                await self._fail(tx, session, problem)
        return None

    async def _kit(self, turn: Turn) -> Kit:
        parts = self._parts
        return Kit(
            clock=self._context.clock,
            ids=self._context.ids,
            model=parts.model,
            workspace=await parts.sandbox.open(turn.job.job_id),
            tools=parts.tools,
            journal=self._journal,
            retry=parts.retry,
            max_tokens=parts.max_tokens,
        )

    async def _claim(self, session_id: SessionId, turn_number: int) -> Turn | None:
        context = self._context
        async with context.store.writing() as tx:
            session = await tx.sessions.lock(session_id)
            if session is None:
                return None
            if session.state in _HELD:
                # A crash may have cut off a call just before or after a person stopped it.
                await self._journal.settle_lost(tx, session)
                return None
            if session.turn != turn_number:
                return None
            ready = await self._ready(tx, session)
            if ready is None:
                return None
            job = await tx.jobs.get(ready.job_id)
            assert job is not None
            ready = await self._journal.settle_lost(tx, ready)
            messages = await tx.conversation.messages(session_id)
            if not unanswered(messages):
                ready, message = await append_inbox(tx, ready, (), ())
                if message is not None:
                    messages.append(message)
            claimed = replace(ready, fence=ready.fence + 1, barren_starts=ready.barren_starts + 1)
            await tx.sessions.save(claimed)
        return Turn(
            job=job,
            fence=claimed.fence,
            turn=turn_number,
            iteration=claimed.iteration,
            messages=messages,
        )

    async def _ready(self, tx: Transaction, session: Session) -> Session | None:
        """The session in state working, or None when it must not work now."""
        transitions = self._context.transitions
        if session.state in ASLEEP:
            if (session := await self._woken(tx, session)).state in ASLEEP:
                return None
        elif session.state not in {SessionState.QUEUED, SessionState.WORKING}:
            return None
        if session.barren_starts >= MAX_BARREN_STARTS:
            problem = f"The service stopped {MAX_BARREN_STARTS} times at the same step."
            await self._fail(tx, session, problem)
            return None
        if session.state is SessionState.QUEUED:
            return await transitions.move(tx, session, SessionState.WORKING, "a worker took over")
        return session

    async def _fail(self, tx: Transaction, session: Session, problem: str) -> None:
        transitions = self._context.transitions
        if session.state in ASLEEP:
            session = await transitions.wake(tx, session, problem)
        if session.state is SessionState.QUEUED:
            session = await transitions.move(tx, session, SessionState.WORKING, problem)
        if session.state is not SessionState.WORKING:
            return
        await transitions.fail(tx, session, problem)

    async def _woken(self, tx: Transaction, session: Session) -> Session:
        """Awake, or asleep on: when the clock says that it is too early, or without money."""
        context, now = self._context, self._context.clock.now()
        if session.wake_at is not None and session.wake_at > now:
            return await context.transitions.doze_on(tx, session, session.wake_at)
        day = await context.budget.today(tx, session.owner_id)
        plan, needs = await context.budget.plan(tx, session.owner_id), session.needs_usd_micros
        # Where no day will ever suffice it has to wake up to ask.
        worth_it = can_work(day, needs) or is_out_of_reach(plan, day, needs, now)
        if session.sleep_reason == BUDGET_REASON and not worth_it:
            due = next_chance(plan, day, needs, now)
            return await context.transitions.doze_on(tx, session, due)
        shown = await context.transitions.show_budget(tx, session, day)
        why = "the budget was refreshed" if session.sleep_reason == BUDGET_REASON else "it is time"
        return await context.transitions.wake(tx, shown, why)
