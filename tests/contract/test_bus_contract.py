"""One suite over the buses, then what only one of them has."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from cofounder.adapters.bus import InProcessBus
from cofounder.adapters.clock import SystemClock
from cofounder.adapters.redis import RedisBus, RedisConnection
from cofounder.domain.ids import JobId
from cofounder.ports.bus import Bus

pytestmark = pytest.mark.anyio

JOB, OTHER_JOB = JobId("job_a"), JobId("job_b")
PATIENCE_S = 10.0


async def next_item(items: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(items)


async def listening_redis_bus(redis_url: str) -> RedisBus:
    """A bus that Redis has confirmed to listen."""
    bus = RedisBus(RedisConnection(redis_url, SystemClock()), InProcessBus())
    async with bus.subscribe(OTHER_JOB) as items:
        assert await next_item(items) == b""
    return bus


@pytest.fixture(params=["in_process", "redis"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "in_process":
        bus: Bus = InProcessBus()
    else:
        bus = await listening_redis_bus(request.getfixturevalue("redis_url"))
    yield bus
    await bus.close()


@pytest.fixture
async def redis_bus(redis_url: str) -> AsyncIterator[RedisBus]:
    bus = await listening_redis_bus(redis_url)
    yield bus
    await bus.close()


async def test_every_listener_of_the_job_hears_every_event_in_order(bus: Bus) -> None:
    async with bus.subscribe(JOB) as one, bus.subscribe(JOB) as two:
        for number in range(5):
            await bus.publish(JOB, b'{"seq":%d}' % number)
        for items in (one, two):
            heard = [await next_item(items) for _ in range(5)]
            assert heard == [b'{"seq":%d}' % number for number in range(5)]


async def test_a_listener_hears_its_own_job_only(bus: Bus) -> None:
    async with bus.subscribe(JOB) as items:
        await bus.publish(OTHER_JOB, b"other")
        await bus.publish(JOB, b"own")
        assert await next_item(items) == b"own"


async def test_nothing_is_kept_for_those_who_come_later(bus: Bus) -> None:
    await bus.publish(JOB, b"early")
    async with bus.subscribe(OTHER_JOB) as others:
        # Whatever was published before has gone by when this one arrives.
        await bus.publish(OTHER_JOB, b"marker")
        await next_item(others)
    async with bus.subscribe(JOB) as items:
        await bus.publish(JOB, b"late")
        assert await next_item(items) == b"late"


async def test_one_who_leaves_takes_nothing_from_those_who_stay(bus: Bus) -> None:
    async with bus.subscribe(JOB) as staying:
        async with bus.subscribe(JOB) as leaving:
            pass
        await bus.publish(JOB, b"event")
        assert await next_item(staying) == b"event"
        assert [item async for item in leaving] == []


async def test_a_listener_can_come_back(bus: Bus) -> None:
    for number in range(3):
        async with bus.subscribe(JOB) as items:
            await bus.publish(JOB, b"%d" % number)
            assert await next_item(items) == b"%d" % number


async def test_closing_ends_every_subscription(bus: Bus) -> None:
    async with bus.subscribe(JOB) as one, bus.subscribe(OTHER_JOB) as two:
        waiting = asyncio.ensure_future(anext(one, b"ended"))
        await bus.close()
        async with asyncio.timeout(PATIENCE_S):
            assert await waiting == b"ended"
            assert [item async for item in two] == []
    async with bus.subscribe(JOB) as items:
        assert [item async for item in items] == []


async def test_who_is_too_slow_is_sent_to_the_log_and_holds_up_nobody() -> None:
    bus = InProcessBus(waiting=3)
    async with bus.subscribe(JOB) as slow, bus.subscribe(JOB) as quick:
        for number in range(5):
            await bus.publish(JOB, b"%d" % number)
            assert await next_item(quick) == b"%d" % number
        assert [await next_item(slow) for _ in range(2)] == [b"", b"4"]


async def test_redis_carries_events_between_processes(redis_bus: RedisBus, redis_url: str) -> None:
    other = await listening_redis_bus(redis_url)
    async with redis_bus.subscribe(JOB) as items:
        await other.publish(JOB, b"from the other process")
        assert await next_item(items) == b"from the other process"
    await other.close()


async def test_a_first_redis_listener_is_sent_to_the_log_once_it_listens(redis_url: str) -> None:
    bus = RedisBus(RedisConnection(redis_url, SystemClock()), InProcessBus())
    async with bus.subscribe(JOB) as items:
        await bus.publish(JOB, b"may be missed")
        while await next_item(items):
            pass
    await bus.close()


async def test_the_channel_and_its_content_are_those_of_the_contract(
    redis_bus: RedisBus, redis_url: str
) -> None:
    async with Redis.from_url(redis_url) as client, client.pubsub() as channel:
        await channel.subscribe("job:job_a:events")
        assert (await channel.get_message(timeout=PATIENCE_S))["type"] == "subscribe"
        await redis_bus.publish(JOB, b'{"seq":1}')
        message = await channel.get_message(timeout=PATIENCE_S)
        assert message["data"] == b'{"seq":1}'
        assert await client.publish("job:job_a:events", b"from anybody") == 2
