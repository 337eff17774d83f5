"""A job's event stream: server-sent events as a plain ASGI response.

It subscribes first, reads the log after the reader's position, and goes live; what comes
twice is dropped by `seq`. A gap is closed by reading the log, so that a reader sees every
event once and in order. No database connection is held while it waits.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cofounder.api.hub import Hub, Outbox
from cofounder.api.sse import Cursor, Frame, reset_frame, retry_frame, stored_frame
from cofounder.domain.errors import CofounderError
from cofounder.domain.ids import JobId, OwnerId
from cofounder.ports.store import LogHead
from cofounder.services.jobs import JobService

_LOG = structlog.get_logger(__name__)
MAX_REPLAY = 1000
_PAGE = 200
_KEY = "cofounder.streams"
_HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",
}


@dataclass(frozen=True, kw_only=True)
class StreamRequest:
    """Who reads which job, from where on."""

    owner_id: OwnerId
    job_id: JobId
    cursor: Cursor


class EventStream(Response):
    """What a route returns to have a stream run. `Streams` has to be around the framework.

    The stream ends when the client hangs up, the server stops, or the bus is closed.
    """

    def __init__(self, jobs: JobService, hub: Hub, request: StreamRequest) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(_HEADERS)
        self._jobs, self._hub, self._request = jobs, hub, request

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave it to `Streams`: the framework's stack need not be held for days."""
        scope[_KEY].append(self)

    async def run(self, receive: Receive, send: Send) -> None:
        """Stream until it is over."""
        request = self._request
        async with self._hub.listening(request.job_id) as outbox:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            gone = asyncio.create_task(_close_when_gone(receive, outbox))
            try:
                # Read after the subscription, so that nothing falls in between.
                head = await self._jobs.log_head(request.owner_id, request.job_id)
                await _Reader(self._jobs, request, send).follow(head, outbox)
            except CofounderError as error:
                _LOG.warning("stream_broken", job_id=request.job_id, why=error.message)
            finally:
                gone.cancel()
            await send({"type": "http.response.body", "body": b""})


class Streams:
    """Runs streams outside of the application whose routes return them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and then run the stream if there is one."""
        returned: list[EventStream] = []
        scope[_KEY] = returned
        await self._app(scope, receive, send)
        for stream in returned:
            await stream.run(receive, send)


async def _close_when_gone(receive: Receive, outbox: Outbox) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    outbox.close()


class _Reader:
    """One reader's position, and what it is sent."""

    def __init__(self, jobs: JobService, request: StreamRequest, send: Send) -> None:
        self._jobs, self._request, self._asgi_send = jobs, request, send
        self._seq = request.cursor.seq

    async def follow(self, head: LogHead, outbox: Outbox) -> None:
        """The log from the reader's position on, then whatever comes."""
        # Evenly spread over 1-3 s, so that a restart does not bring all readers back at once.
        await self._send(retry_frame(1000 + 618 * outbox.number % 2000))
        reason = _why_reset(self._request.cursor, head)
        if reason is not None:
            self._seq = head.last_seq
            await self._send(reset_frame(head, reason))
        await self._catch_up(outbox)
        while (batch := await outbox.take()) is not None:
            gap = await self._pass_on(batch.frames)
            if gap or batch.look:
                await self._catch_up(outbox)
            if batch.ping:
                await self._send(batch.ping)

    async def _pass_on(self, frames: Sequence[Frame]) -> bool:
        """Send what follows without a gap; returns whether there was one."""
        ready = []
        for frame in frames:
            if frame.seq == self._seq + 1:
                ready.append(frame.data)
                self._seq = frame.seq
            elif frame.seq > self._seq:
                break
        if ready:
            await self._send(b"".join(ready))
        return bool(frames) and frames[-1].seq > self._seq

    async def _catch_up(self, outbox: Outbox) -> None:
        """Send what the log has after the position, page by page, at the reader's speed."""
        request, found = self._request, _PAGE
        while found == _PAGE and not outbox.closed:
            stored = await self._jobs.events(
                request.owner_id, request.job_id, after=self._seq, limit=_PAGE
            )
            found = len(stored)
            if stored:
                self._seq = stored[-1].event.seq
                await self._send(b"".join(stored_frame(each).data for each in stored))

    async def _send(self, body: bytes) -> None:
        await self._asgi_send({"type": "http.response.body", "body": body, "more_body": True})


def _why_reset(cursor: Cursor, head: LogHead) -> str | None:
    if cursor.epoch is not None and cursor.epoch != head.epoch:
        return "unknown_epoch"
    if cursor.seq > head.last_seq:
        return "beyond_end"
    if head.last_seq - cursor.seq > MAX_REPLAY:
        return "too_far_behind"
    return None
