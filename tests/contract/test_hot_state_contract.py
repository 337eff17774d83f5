"""One suite over the hot states: keys, values and lifetimes exactly as in the contract."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

import pytest
from redis.asyncio import Redis

from cofounder.adapters.clock import SystemClock
from cofounder.adapters.no_redis import NoHotState
from cofounder.adapters.redis import RedisConnection, RedisHotState, reachable
from cofounder.domain.errors import ConfigurationError
from cofounder.domain.ids import SessionId
from cofounder.ports.hot_state import HotState
from cofounder.testing.clock import FakeClock
from cofounder.testing.hot_state import MemoryHotState

pytestmark = pytest.mark.anyio

A, B, C = SessionId("ses_a"), SessionId("ses_b"), SessionId("ses_c")
NOW = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)


class Rig(Protocol):
    """A hot state, and what somebody else sees of it."""

    hot: HotState

    async def key(self, name: str) -> tuple[str | None, float]:
        """Value and remaining lifetime in seconds of `cofounder:agent:{name}`."""
        ...

    async def signal(self, session_id: SessionId) -> None:
        """Set the session's `wake_signal` from outside."""
        ...


class MemoryRig:
    def __init__(self) -> None:
        self.memory = MemoryHotState(FakeClock(NOW))
        self.hot: HotState = self.memory

    async def key(self, name: str) -> tuple[str | None, float]:
        key = f"cofounder:agent:{name}"
        return self.memory.get(key), self.memory.ttl_s(key)

    async def signal(self, session_id: SessionId) -> None:
        self.memory.set(f"cofounder:agent:{session_id}:wake_signal", "1", ttl_s=86_400)


class RedisRig:
    def __init__(self, redis_url: str) -> None:
        self.client = Redis.from_url(redis_url, decode_responses=True)
        self.hot: HotState = RedisHotState(RedisConnection(redis_url, SystemClock()))

    async def key(self, name: str) -> tuple[str | None, float]:
        key = f"cofounder:agent:{name}"
        value = await self.client.get(key)
        return None if value is None else str(value), await self.client.ttl(key)

    async def signal(self, session_id: SessionId) -> None:
        await self.client.set(f"cofounder:agent:{session_id}:wake_signal", "1", ex=86_400)

    async def close(self) -> None:
        """Every key has to have a lifetime, whatever the test did."""
        eternal = [k async for k in self.client.scan_iter() if await self.client.ttl(k) < 0]
        await self.hot.close()
        await self.client.aclose()
        assert eternal == []


@pytest.fixture(params=["memory", "redis"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    if request.param == "memory":
        yield MemoryRig()
        return
    redis = RedisRig(request.getfixturevalue("redis_url"))
    yield redis
    await redis.close()


async def test_the_state_is_kept_for_25_hours(rig: Rig) -> None:
    await rig.hot.set_state(A, "working")
    value, ttl_s = await rig.key("ses_a:state")
    assert value == "working"
    assert 89_990 < ttl_s <= 90_000


async def test_the_budget_percentage_is_kept_for_90_seconds(rig: Rig) -> None:
    await rig.hot.set_budget_pct(A, 100)
    await rig.hot.set_budget_pct(A, 42)
    value, ttl_s = await rig.key("ses_a:budget_pct")
    assert value == "42"
    assert 80 < ttl_s <= 90


async def test_wake_at_is_in_utc_and_kept_as_long_as_the_sleep(rig: Rig) -> None:
    wake_at = (NOW + timedelta(hours=8)).astimezone(timezone(timedelta(hours=5)))
    await rig.hot.set_wake_at(A, wake_at, now=NOW)
    value, ttl_s = await rig.key("ses_a:wake_at")
    assert value == "2030-01-02T11:04:05Z"
    assert 28_790 < ttl_s <= 28_800


@pytest.mark.parametrize("sleep_s", [-60.0, 0.0, 0.4, 1.9])
async def test_wake_at_is_kept_for_whole_seconds_and_one_at_least(rig: Rig, sleep_s: float) -> None:
    await rig.hot.set_wake_at(A, NOW + timedelta(seconds=sleep_s), now=NOW)
    assert 0 < (await rig.key("ses_a:wake_at"))[1] <= 1


async def test_wake_at_goes_when_the_sleep_ends_early(rig: Rig) -> None:
    await rig.hot.set_wake_at(A, NOW + timedelta(hours=8), now=NOW)
    await rig.hot.clear_wake_at(A)
    await rig.hot.clear_wake_at(B)
    assert (await rig.key("ses_a:wake_at"))[0] is None


async def test_a_wake_signal_is_told_once_and_to_those_who_asked(rig: Rig) -> None:
    await rig.signal(A)
    await rig.signal(C)
    assert await rig.hot.take_wake_signals([B]) == ()
    assert await rig.hot.take_wake_signals([A, B]) == (A,)
    assert await rig.hot.take_wake_signals([A, B]) == ()
    assert await rig.hot.take_wake_signals([]) == ()
    assert await rig.hot.take_wake_signals([A, B, C]) == (C,)


async def test_two_takers_share_the_signals_without_overlap(rig: Rig) -> None:
    sessions = [SessionId(f"ses_{number}") for number in range(1_200)]
    for session_id in sessions:
        await rig.signal(session_id)
    taken = await asyncio.gather(*(rig.hot.take_wake_signals(sessions) for _ in range(4)))
    assert sorted(s for part in taken for s in part) == sorted(sessions)


async def test_the_fake_forgets_by_its_clock() -> None:
    clock = FakeClock(NOW)
    memory = MemoryHotState(clock)
    await memory.set_budget_pct(A, 7)
    await clock.advance(89)
    assert memory.get("cofounder:agent:ses_a:budget_pct") == "7"
    await clock.advance(1)
    assert memory.get("cofounder:agent:ses_a:budget_pct") is None


async def test_without_redis_there_is_nothing_to_tell() -> None:
    hot: HotState = NoHotState()
    await hot.set_state(A, "working")
    await hot.set_budget_pct(A, 1)
    await hot.set_wake_at(A, NOW, now=NOW)
    await hot.clear_wake_at(A)
    assert await hot.take_wake_signals([A]) == ()
    await hot.close()


async def test_a_redis_that_answers_is_reachable(redis_url: str) -> None:
    assert await reachable(redis_url)


def test_an_address_that_is_none_is_refused_without_being_repeated() -> None:
    with pytest.raises(ConfigurationError) as refused:
        RedisConnection("http://:secret@somewhere", SystemClock())
    assert "secret" not in str(refused.value)
