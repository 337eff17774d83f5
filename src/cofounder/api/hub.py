"""Fan-out: one subscription to the bus per job, one outbox per open stream.

Nothing here waits for a reader. An outbox that is full, or that may have missed something,
only remembers that the log has to be read.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

import structlog

from cofounder.api.sse import Frame, live_frame, ping_frame
from cofounder.domain.ids import JobId
from cofounder.ports.bus import Bus
from cofounder.ports.clock import Clock

_LOG = structlog.get_logger(__name__)
_MOST_WAITING = 1000
# Pings are spread over so many instants, so that they never come all at once.
_PING_SLOTS = 30


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a stream has to send next: frames, then what the log has if `look`, then a ping."""

    frames: list[Frame]
    look: bool
    ping: bytes


class Outbox:
    """What waits for one stream. `number` counts streams from 0. One task takes from it."""

    __slots__ = ("_frames", "_look", "_ping", "_stirred", "_waiter", "closed", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self._frames: list[Frame] = []
        self._look, self._ping = False, b""
        self.closed = False
        # A bare future instead of an event: it is there ten thousand times, and woken often.
        self._stirred = False
        self._waiter: asyncio.Future[None] | None = None

    def push(self, frame: Frame | None) -> None:
        """Add a frame; None, or one too many, means that the log has to be read."""
        if frame is None or len(self._frames) >= _MOST_WAITING:
            self._frames.clear()
            self._look = True
        elif not self._look:
            self._frames.append(frame)
        self._stir()

    def ping(self, frame: bytes) -> None:
        """Add a sign of life."""
        self._ping = frame
        self._stir()

    def close(self) -> None:
        """End the stream, whatever still waits."""
        self.closed = True
        self._stir()

    async def take(self) -> Batch | None:
        """Everything that waits, as soon as something does; None when it is over."""
        if not self._stirred:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self.closed:
            return None
        batch = Batch(frames=self._frames, look=self._look, ping=self._ping)
        self._frames, self._look, self._ping, self._stirred = [], False, b"", False
        return batch

    def _stir(self) -> None:
        self._stirred = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Topic:
    """One job's subscription, and whom it is handed on to."""

    def __init__(self, bus: Bus, job_id: JobId) -> None:
        self.outboxes: set[Outbox] = set()
        self.subscribed = asyncio.Event()
        self.task = asyncio.create_task(self._run(bus, job_id))

    async def _run(self, bus: Bus, job_id: JobId) -> None:
        try:
            async with bus.subscribe(job_id) as items:
                self.subscribed.set()
                async for item in items:
                    frame = live_frame(item)
                    for outbox in self.outboxes:
                        outbox.push(frame)
        except Exception:  # readers connect again and subscribe anew, whatever broke it
            _LOG.exception("subscription_failed", job_id=job_id)
        finally:
            self.subscribed.set()
            for outbox in self.outboxes:
                outbox.close()


class Hub:
    """All open streams of this process."""

    def __init__(self, *, bus: Bus, clock: Clock, ping_s: float) -> None:
        """Each stream gets a ping every `ping_s` seconds."""
        self._bus, self._clock, self._ping_s = bus, clock, ping_s
        self._topics: dict[JobId, _Topic] = {}
        self._slots: list[set[Outbox]] = [set() for _ in range(_PING_SLOTS)]
        self._numbers = count()
        self._ticker: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def open_streams(self) -> int:
        """How many streams are open now."""
        return sum(len(slot) for slot in self._slots)

    def close(self) -> None:
        """End all streams; later ones end at once."""
        self._closed = True
        for topic in self._topics.values():
            topic.subscribed.set()
        for slot in self._slots:
            for outbox in slot:
                outbox.close()

    @asynccontextmanager
    async def listening(self, job_id: JobId) -> AsyncIterator[Outbox]:
        """An outbox that gets every event of the job from now on."""
        outbox = Outbox(next(self._numbers))
        topic = self._join(job_id, outbox)
        try:
            if self._closed:
                outbox.close()
            await topic.subscribed.wait()
            yield outbox
        finally:
            self._leave(job_id, topic, outbox)

    def _join(self, job_id: JobId, outbox: Outbox) -> _Topic:
        topic = self._topics.get(job_id)
        if topic is None or topic.task.done():
            topic = self._topics[job_id] = _Topic(self._bus, job_id)
        topic.outboxes.add(outbox)
        self._slots[outbox.number % _PING_SLOTS].add(outbox)
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._tick())
        return topic

    def _leave(self, job_id: JobId, topic: _Topic, outbox: Outbox) -> None:
        topic.outboxes.discard(outbox)
        self._slots[outbox.number % _PING_SLOTS].discard(outbox)
        if not topic.outboxes:
            topic.task.cancel()
            if self._topics.get(job_id) is topic:
                del self._topics[job_id]
        if self._ticker is not None and not self.open_streams:
            self._ticker.cancel()
            self._ticker = None

    async def _tick(self) -> None:
        while True:
            for slot in self._slots:
                await self._clock.sleep(self._ping_s / _PING_SLOTS)
                frame = ping_frame(self._clock.now())
                for outbox in slot:
                    outbox.ping(frame)
