"""One suite over every `Clock` and every `Ids`, then what only the fakes can show."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cofounder.adapters.clock import RandomIds, SystemClock
from cofounder.ports.clock import Clock, Ids
from cofounder.testing.clock import FakeClock, SequentialIds

pytestmark = pytest.mark.anyio

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)


CLOCKS: dict[str, Callable[[], Clock]] = {"system": SystemClock, "fake": lambda: FakeClock(NOON)}
IDS: dict[str, Callable[[], Ids]] = {"random": RandomIds, "sequential": SequentialIds}


@pytest.fixture(params=CLOCKS)
async def clock(request: pytest.FixtureRequest) -> Clock:
    return CLOCKS[request.param]()


@pytest.fixture(params=IDS)
def ids(request: pytest.FixtureRequest) -> Ids:
    return IDS[request.param]()


async def test_now_is_aware_and_in_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


async def test_the_monotonic_clock_never_goes_back(clock: Clock) -> None:
    first = clock.monotonic_s()
    assert clock.monotonic_s() >= first


@pytest.mark.parametrize("seconds", [0.0, -5.0])
async def test_a_sleep_of_nothing_ends_by_itself(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)


async def test_a_sleep_lasts_at_least_as_long_as_asked() -> None:
    clock = SystemClock()
    before = clock.monotonic_s()
    await clock.sleep(0.02)
    assert clock.monotonic_s() - before >= 0.019


async def test_ids_have_their_prefix_and_128_bits(ids: Ids) -> None:
    assert re.fullmatch(r"job_[0-9a-f]{32}", ids.new("job"))


async def test_ids_never_repeat_and_sort_by_creation(ids: Ids) -> None:
    made = [ids.new("job") for _ in range(1_000)]
    assert len(set(made)) == len(made)
    assert made[0] < made[-1]


async def test_jitter_is_a_share(ids: Ids) -> None:
    assert all(0.0 <= ids.jitter() < 1.0 for _ in range(100))


async def test_advancing_wakes_sleepers_in_order_and_at_their_own_instant() -> None:
    clock = FakeClock(NOON)
    woken: list[tuple[str, datetime]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as tasks:
        for name, seconds in [("late", 30.0), ("early", 10.0), ("same", 10.0)]:
            tasks.create_task(sleeper(name, seconds))
        await clock.advance(60)
    ten, thirty = NOON + timedelta(seconds=10), NOON + timedelta(seconds=30)
    assert woken == [("early", ten), ("same", ten), ("late", thirty)]
    assert clock.now() == NOON + timedelta(seconds=60)
    assert clock.monotonic_s() == 60


async def test_who_falls_asleep_again_on_the_way_is_woken_again() -> None:
    clock = FakeClock(NOON)
    beats: list[datetime] = []

    async def beat() -> None:
        for _ in range(3):
            await clock.sleep(10)
            beats.append(clock.now())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(beat())
        await clock.advance(30)
    assert beats == [NOON + timedelta(seconds=s) for s in (10, 20, 30)]


async def test_nobody_is_woken_too_early_or_after_giving_up() -> None:
    clock = FakeClock(NOON)
    patient = asyncio.create_task(clock.sleep(10))
    impatient = asyncio.create_task(clock.sleep(5))
    await clock.until_asleep(2)
    impatient.cancel()
    await clock.advance(9)
    assert impatient.cancelled()
    assert not patient.done()
    assert clock.sleepers == 1
    await clock.advance(1)
    assert patient.done()
    assert clock.sleepers == 0


async def test_sequential_ids_can_be_foreseen() -> None:
    ids = SequentialIds(jitter_is=0.5)
    assert [ids.new("a"), ids.new("b")] == [f"a_{1:032x}", f"b_{2:032x}"]
    assert ids.jitter() == 0.5
