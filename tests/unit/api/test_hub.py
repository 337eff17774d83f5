import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from cofounder.adapters.bus import InProcessBus
from cofounder.api.hub import Batch, Hub, Outbox
from cofounder.api.sse import Frame
from cofounder.domain.ids import JobId
from cofounder.ports.bus import Bus
from cofounder.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
JOB = JobId("job_1")
START = datetime(2026, 5, 1, tzinfo=UTC)


def event(seq: int) -> bytes:
    return b'{"type":"agent.narrated","seq":%d,"epoch":"log_1"}' % seq


def frame(seq: int) -> Frame:
    return Frame(seq=seq, data=b"")


def new_hub(bus: Bus | None = None, *, clock: FakeClock | None = None, ping_s: float = 15) -> Hub:
    return Hub(bus=bus or InProcessBus(), clock=clock or FakeClock(START), ping_s=ping_s)


async def taken(outbox: Outbox) -> Batch:
    async with asyncio.timeout(5):
        batch = await outbox.take()
    assert batch is not None
    return batch


async def test_one_encoding_is_shared_by_all_who_listen() -> None:
    bus = InProcessBus()
    hub = new_hub(bus)
    async with hub.listening(JOB) as first, hub.listening(JOB) as second:
        await bus.publish(JOB, event(1))
        (one,), (two,) = (await taken(first)).frames, (await taken(second)).frames
    assert one is two
    assert one.seq == 1


async def test_what_waits_is_taken_at_once() -> None:
    outbox = Outbox(0)
    outbox.push(frame(1))
    outbox.push(frame(2))
    outbox.ping(b"ping")
    batch = await taken(outbox)
    assert ([each.seq for each in batch.frames], batch.look, batch.ping) == ([1, 2], False, b"ping")
    outbox.push(frame(3))
    batch = await taken(outbox)
    assert ([each.seq for each in batch.frames], batch.ping) == ([3], b"")


async def test_a_slow_reader_is_sent_to_the_log() -> None:
    outbox = Outbox(0)
    for seq in range(1, 5000):
        outbox.push(frame(seq))
    batch = await taken(outbox)
    assert (batch.frames, batch.look) == ([], True)
    outbox.push(frame(5000))
    batch = await taken(outbox)
    assert ([each.seq for each in batch.frames], batch.look) == ([5000], False)


async def test_an_item_that_says_nothing_sends_to_the_log() -> None:
    bus = InProcessBus()
    hub = new_hub(bus)
    async with hub.listening(JOB) as outbox:
        await bus.publish(JOB, b"")
        assert (await taken(outbox)).look


async def test_each_stream_is_pinged_once_an_interval_and_not_all_at_once() -> None:
    clock = FakeClock(START)
    hub = new_hub(clock=clock, ping_s=15)
    async with hub.listening(JOB) as first, hub.listening(JOB) as second:
        pinged: list[tuple[int, float]] = []
        for _ in range(60):
            await clock.until_asleep()
            await clock.advance(0.5)
            for number, outbox in enumerate((first, second)):
                with_limit = asyncio.ensure_future(outbox.take())
                await clock.advance(0)
                if with_limit.done():
                    pinged.append((number, clock.monotonic_s()))
                else:
                    with_limit.cancel()
        assert pinged == [(0, 0.5), (1, 1.0), (0, 15.5), (1, 16.0)]
    assert hub.open_streams == 0
    await clock.advance(0)
    assert clock.sleepers == 0


async def test_a_closed_hub_ends_present_and_later_streams() -> None:
    hub = new_hub()
    async with hub.listening(JOB) as outbox:
        outbox.push(frame(1))
        hub.close()
        assert await outbox.take() is None
        assert await outbox.take() is None
    async with hub.listening(JOB) as outbox:
        assert await outbox.take() is None


async def _breaking() -> AsyncIterator[bytes]:
    yield b""
    raise RuntimeError("broken")


class BrokenBus(InProcessBus):
    """A bus whose subscriptions break."""

    @asynccontextmanager
    async def subscribe(self, job_id: JobId) -> AsyncIterator[AsyncIterator[bytes]]:
        async with super().subscribe(job_id):
            yield _breaking()


async def test_streams_end_when_the_bus_is_broken() -> None:
    hub = new_hub(BrokenBus())
    with capture_logs() as logged:
        async with hub.listening(JOB) as outbox:
            assert await outbox.take() is None
    assert [entry["event"] for entry in logged] == ["subscription_failed"]
