"""The bus of a service that is one process: from the publisher to each listener's queue."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cofounder.domain.ids import JobId

_LOOK_INTO_THE_LOG = b""


class InProcessBus:
    """`ports.bus.Bus` within one event loop. A publisher never waits for a listener."""

    def __init__(self, *, waiting: int = 256) -> None:
        """`waiting` is how many items a slow listener may have in front of it.

        When there would be more they are all dropped for one "look into the log".
        """
        self._waiting = waiting
        self._listeners: dict[JobId, set[_Listener]] = {}
        self._closed = False

    async def publish(self, job_id: JobId, event_json: bytes) -> None:
        """Hand the event to everybody who listens to the job now."""
        for listener in self._listeners.get(job_id, ()):
            listener.tell(event_json)

    @asynccontextmanager
    async def subscribe(self, job_id: JobId) -> AsyncIterator[AsyncIterator[bytes]]:
        """Listen to the job until the context is left or the bus is closed."""
        listener = _Listener(self._waiting)
        listeners = self._listeners.setdefault(job_id, set())
        listeners.add(listener)
        if self._closed:
            listener.end()
        try:
            yield listener
        finally:
            listener.end()
            listeners.remove(listener)
            if not listeners:
                del self._listeners[job_id]

    async def close(self) -> None:
        """End every subscription, also those that are still to come."""
        self._closed = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()


class _Listener:
    """One subscription's queue."""

    def __init__(self, waiting: int) -> None:
        self._limit = waiting
        self._items: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def tell(self, item: bytes) -> None:
        if len(self._items) >= self._limit:
            self._items.clear()
            item = _LOOK_INTO_THE_LOG
        self._items.append(item)
        self._news.set()

    def end(self) -> None:
        self._ended = True
        self._news.set()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._items.popleft()
