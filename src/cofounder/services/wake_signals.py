"""Waking from outside: somebody sets a session's `wake_signal` in Redis."""

import asyncio

import structlog

from cofounder.domain.errors import BudgetExceededError, ConflictError, StoreUnavailableError
from cofounder.domain.session import ASLEEP
from cofounder.ports.hot_state import HotState
from cofounder.services.context import Context
from cofounder.services.sessions import SessionService

_LOG = structlog.get_logger(__name__)
INTERVAL_S = 1.0


class WakeSignals:
    """Looks for signals of those who sleep, and wakes them as the founder would."""

    def __init__(self, context: Context, sessions: SessionService, hot_state: HotState) -> None:
        """`start` begins to look."""
        self._context, self._sessions, self._hot = context, sessions, hot_state
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look once a second."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def look(self) -> None:
        """Wake every sleeper for whom a signal was set; one without money sleeps on."""
        async with self._context.store.reading() as tx:
            sleepers = {s.session_id: s for s in await tx.sessions.in_states(ASLEEP)}
        if not sleepers:
            return
        for session_id in await self._hot.take_wake_signals(tuple(sleepers)):
            session = sleepers[session_id]
            try:
                await self._sessions.wake(session.owner_id, session.job_id)
            except (BudgetExceededError, ConflictError) as error:
                _LOG.warning("wake_signal_refused", session_id=session_id, why=error.message)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except StoreUnavailableError as error:
                _LOG.warning("wake_signals_unread", why=error.message)
            await self._context.clock.sleep(INTERVAL_S)
