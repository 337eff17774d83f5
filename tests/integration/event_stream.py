"""Reading a job's event stream as a browser does."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import cast

import httpx2

PATIENCE_S = 10
Sse = httpx2.ServerSentEvent


class StreamReader:
    """The events of one open stream, in order."""

    def __init__(self, events: AsyncGenerator[Sse]) -> None:
        self._events = events
        self.retry_ms: int | None = None

    async def next(self, *, pings: bool = False) -> Sse:
        """The next event; `StopAsyncIteration` when the server has ended the stream."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                event = await anext(self._events)
                if event.retry is not None:
                    self.retry_ms = event.retry
                elif (event.event == "ping") == pings:
                    return event

    async def take(self, count: int) -> list[Sse]:
        """The next `count` events."""
        return [await self.next() for _ in range(count)]

    async def ended(self) -> bool:
        """Wait for the end; whether it came without another event."""
        try:
            await self.next()
        except StopAsyncIteration:
            return True
        return False


@asynccontextmanager
async def opened(
    client: httpx2.AsyncClient, job_id: str, *, after: str = "", last_event_id: str = ""
) -> AsyncIterator[StreamReader]:
    """Open the stream and hang up at the end."""
    url = f"/api/jobs/{job_id}/events/stream"
    query = {"after": after} if after else {}
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    async with client.stream("GET", url, params=query, headers=headers, timeout=None) as response:
        assert response.status_code == 200
        events = cast("AsyncGenerator[Sse]", aiter(httpx2.EventSource(response)))
        async with aclosing(events):
            yield StreamReader(events)


def seq(event: Sse) -> int:
    """The number in the event's id."""
    return int(event.id.rpartition(":")[2])
