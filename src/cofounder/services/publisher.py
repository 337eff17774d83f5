"""Tells the world what was committed: first the hot state, then the bus, in commit order."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from cofounder.domain.events.agent import BudgetExceeded, BudgetUpdated, Sleeping, StateChanged
from cofounder.domain.session import ASLEEP
from cofounder.ports.bus import Bus
from cofounder.ports.clock import Clock
from cofounder.ports.hot_state import HotState
from cofounder.ports.store import StoredEvent

_LOG = structlog.get_logger(__name__)
_BACKLOG = 10_000


class Publisher:
    """A `CommitListener`. Losing an event here loses nothing: readers follow the log."""

    def __init__(self, *, bus: Bus, hot_state: HotState, clock: Clock) -> None:
        """`start` has to be called before anything is published."""
        self._bus, self._hot, self._clock = bus, hot_state, clock
        self._waiting: asyncio.Queue[StoredEvent] = asyncio.Queue(_BACKLOG)
        self._task: asyncio.Task[None] | None = None

    def committed(self, events: Sequence[StoredEvent]) -> None:
        """Queue the events; when the backlog is full the newest are left to the log."""
        for event in events:
            with suppress(asyncio.QueueFull):
                self._waiting.put_nowait(event)

    def start(self) -> None:
        """Begin to publish."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Publish what waits, for a moment at most, and stop."""
        if self._task is None:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._waiting.join()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            stored = await self._waiting.get()
            try:
                await self._mirror(stored)
                await self._bus.publish(stored.event.job_id, stored.data)
            except Exception:  # one event that cannot be told must not silence the rest
                _LOG.exception("publish_failed", type=stored.event.type)
            finally:
                self._waiting.task_done()

    async def _mirror(self, stored: StoredEvent) -> None:
        event = stored.event
        match event:
            case StateChanged():
                await self._hot.set_state(event.session_id, event.to_state.value)
                if event.from_state in ASLEEP:
                    await self._hot.clear_wake_at(event.session_id)
            case BudgetUpdated():
                await self._hot.set_budget_pct(event.session_id, event.budget_pct)
            case Sleeping() | BudgetExceeded():
                now = self._clock.now()
                await self._hot.set_wake_at(event.session_id, event.wake_at, now=now)
            case _:
                pass
