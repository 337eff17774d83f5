import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.budget import DayBudget, Plan
from cofounder.domain.errors import ConflictError
from cofounder.domain.ids import OwnerId, RequestId, SessionId
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar, Span
from cofounder.ports.store import EntryKind, LedgerEntry, ModelCallRow
from tests.contract.store_samples import (
    DAY,
    NOW,
    OWNER,
    SESSION_ID,
    a_call,
    a_day,
    a_top_up,
    an_entry,
)

pytestmark = pytest.mark.anyio

OTHER = OwnerId("own_b")


@pytest.fixture
async def stores(store: SqlStore, store_url: str) -> AsyncIterator[list[SqlStore]]:
    """The same database, as several processes have it open."""
    others = [SqlStore(store_url) for _ in range(2)]
    yield [store, *others]
    for other in others:
        await other.close()


async def add_day(store: SqlStore, day: DayBudget) -> None:
    async with store.writing() as tx:
        await tx.ledger.add_day(day)


async def reserve(store: SqlStore, call: ModelCallRow) -> bool:
    async with store.writing() as tx:
        return await tx.ledger.reserve(call)


async def settle(store: SqlStore, call: ModelCallRow, entry: LedgerEntry) -> bool:
    async with store.writing() as tx:
        return await tx.ledger.settle(call, entry)


async def today(store: SqlStore) -> DayBudget:
    async with store.reading() as tx:
        day = await tx.ledger.day(OWNER, DAY.start)
    assert day is not None
    return day


@pytest.mark.parametrize(
    "calendar",
    [
        MonthlyCalendar(renewal_day=31, time_zone="Europe/Prague"),
        FixedCalendar(anchor=NOW, day_s=0.25, days_per_cycle=7),
    ],
)
async def test_a_plan_is_replaced_by_the_next(
    store: SqlStore, calendar: MonthlyCalendar | FixedCalendar
) -> None:
    first = Plan(owner_id=OWNER, cycle_amount_usd_micros=2**40, calendar=MonthlyCalendar())
    second = replace(first, cycle_amount_usd_micros=1, calendar=calendar)
    async with store.writing() as tx:
        assert await tx.ledger.plan(OWNER) is None
        await tx.ledger.save_plan(first)
        assert await tx.ledger.plan(OWNER) == first
        await tx.ledger.save_plan(second)
    async with store.reading() as tx:
        assert await tx.ledger.plan(OWNER) == second
        assert await tx.ledger.plan(OTHER) is None


async def test_a_day_is_begun_once(store: SqlStore) -> None:
    await add_day(store, a_day())
    await add_day(store, a_day(base_usd_micros=7))
    async with store.writing() as tx:
        assert await tx.ledger.day(OWNER, DAY.start) == a_day()
        assert await tx.ledger.lock_day(OWNER, DAY.start) == a_day()
        assert await tx.ledger.lock_day(OWNER, DAY.end) is None
        assert await tx.ledger.day(OTHER, DAY.start) is None


async def test_saving_a_day_leaves_spent_and_reserved_alone(store: SqlStore) -> None:
    await add_day(store, a_day())
    assert await reserve(store, a_call())
    changed = replace(
        a_day(base_usd_micros=5), top_up_usd_micros=6, cycle_left_usd_micros=7, spent_usd_micros=99
    )
    async with store.writing() as tx:
        await tx.ledger.save_day(changed)
    kept = replace(changed, spent_usd_micros=0, reserved_usd_micros=100_000)
    assert await today(store) == kept


async def test_a_top_up_raises_the_ceiling_that_reservations_meet(store: SqlStore) -> None:
    day = a_day(base_usd_micros=90_000)
    await add_day(store, day)
    assert not await reserve(store, a_call())
    async with store.writing() as tx:
        await tx.ledger.save_day(replace(day, top_up_usd_micros=910))
    assert await reserve(store, a_call())


async def test_the_ceiling_can_be_reached_and_not_passed(store: SqlStore) -> None:
    await add_day(store, a_day(base_usd_micros=100_000))
    assert not await reserve(store, a_call(1, reserved_usd_micros=110_001))
    assert await reserve(store, a_call(2, reserved_usd_micros=109_999))
    assert await reserve(store, a_call(3, reserved_usd_micros=1))
    assert not await reserve(store, a_call(4, reserved_usd_micros=1))
    async with store.reading() as tx:
        calls = await tx.ledger.open_calls(SESSION_ID)
    assert [call.request_id for call in calls] == ["req_2", "req_3"]


async def test_nothing_is_reserved_on_a_day_that_was_not_begun(store: SqlStore) -> None:
    assert not await reserve(store, a_call())
    async with store.reading() as tx:
        assert await tx.ledger.open_calls(SESSION_ID) == []


async def test_settling_spends_the_cost_and_frees_the_rest(store: SqlStore) -> None:
    await add_day(store, a_day())
    assert await reserve(store, a_call(1))
    assert await reserve(store, a_call(2))
    assert (await today(store)).reserved_usd_micros == 200_000
    assert await settle(store, a_call(1), an_entry(1))
    day = await today(store)
    assert (day.spent_usd_micros, day.reserved_usd_micros) == (40_000, 100_000)
    async with store.reading() as tx:
        assert await tx.ledger.open_calls(SESSION_ID) == [a_call(2)]
        assert await tx.ledger.entries(OWNER) == [an_entry(1)]
        assert await tx.ledger.spent_by_session(SESSION_ID) == 40_000


async def test_a_call_is_settled_once(stores: list[SqlStore]) -> None:
    await add_day(stores[0], a_day())
    assert await reserve(stores[0], a_call())
    results = await asyncio.gather(
        *(settle(stores[n % 3], a_call(), an_entry(amount_usd_micros=n)) for n in range(9))
    )
    assert sorted(results) == [False] * 8 + [True]
    winner = results.index(True)
    day = await today(stores[0])
    assert (day.spent_usd_micros, day.reserved_usd_micros) == (winner, 0)
    async with stores[0].reading() as tx:
        assert len(await tx.ledger.entries(OWNER)) == 1


async def test_what_is_released_is_what_was_reserved(store: SqlStore) -> None:
    await add_day(store, a_day())
    assert await reserve(store, a_call())
    assert await settle(store, replace(a_call(), reserved_usd_micros=1), an_entry())
    assert (await today(store)).reserved_usd_micros == 0


async def test_a_call_that_was_never_begun_cannot_be_settled(store: SqlStore) -> None:
    await add_day(store, a_day())
    assert not await settle(store, a_call(), an_entry())
    assert await today(store) == a_day()


async def test_concurrent_reservations_never_pass_the_ceiling(stores: list[SqlStore]) -> None:
    await add_day(stores[0], a_day(base_usd_micros=1_000_000))
    results = await asyncio.gather(
        *(reserve(stores[n % 3], a_call(n, reserved_usd_micros=99_999)) for n in range(32))
    )
    assert results.count(True) == 11
    day = await today(stores[0])
    assert day.reserved_usd_micros == 11 * 99_999 <= day.ceiling_usd_micros
    async with stores[0].reading() as tx:
        begun = {call.request_id for call in await tx.ledger.open_calls(SESSION_ID)}
    assert begun == {a_call(n).request_id for n in range(32) if results[n]}


async def test_no_increment_is_lost(stores: list[SqlStore]) -> None:
    await add_day(stores[0], a_day(base_usd_micros=10**9))

    async def pay(number: int) -> None:
        store = stores[number % 3]
        assert await reserve(store, a_call(number, reserved_usd_micros=5))
        assert await settle(store, a_call(number), an_entry(number, amount_usd_micros=3))

    await asyncio.gather(*(pay(number) for number in range(160)))
    day = await today(stores[0])
    assert (day.spent_usd_micros, day.reserved_usd_micros) == (160 * 3, 0)


async def test_a_locked_day_is_read_and_written_by_one_at_a_time(stores: list[SqlStore]) -> None:
    await add_day(stores[0], a_day())

    async def top_up(number: int) -> None:
        async with stores[number % 3].writing() as tx:
            day = await tx.ledger.lock_day(OWNER, DAY.start)
            assert day is not None
            await tx.ledger.save_day(replace(day, top_up_usd_micros=day.top_up_usd_micros + 1))

    await asyncio.gather(*(top_up(number) for number in range(60)))
    assert (await today(stores[0])).top_up_usd_micros == 60


async def test_the_other_days_of_a_cycle_and_those_that_overlap(store: SqlStore) -> None:
    def day_from(hours: int) -> DayBudget:
        start = DAY.start + timedelta(hours=hours)
        span = Span(start=start, end=start + timedelta(days=1))
        return replace(a_day(), day=span, spent_usd_micros=hours + 100)

    days = {hours: day_from(hours) for hours in (-48, -24, -9, 0, 24, 48, 72)}
    for day in days.values():
        await add_day(store, day)
        await add_day(store, replace(day, owner_id=OTHER))
    cycle = Span(start=DAY.start, end=DAY.start + timedelta(days=3))
    async with store.reading() as tx:
        found = await tx.ledger.other_days(OWNER, cycle, days[0].day)
    assert sorted(found, key=lambda day: day.day.start) == [days[-9], days[24], days[48]]


async def test_an_entry_is_kept_once(store: SqlStore) -> None:
    async with store.writing() as tx:
        assert await tx.ledger.add_entry(a_top_up(1))
        assert not await tx.ledger.add_entry(replace(a_top_up(1), amount_usd_micros=9))
        assert await tx.ledger.entries(OWNER) == [a_top_up(1)]
        assert await tx.ledger.entry(a_top_up(1).request_id) == a_top_up(1)
        assert await tx.ledger.entry(RequestId("none")) is None


async def test_a_request_is_paid_for_once(store: SqlStore) -> None:
    await add_day(store, a_day())
    assert await reserve(store, a_call())
    async with store.writing() as tx:
        assert await tx.ledger.add_entry(an_entry())
    with pytest.raises(ConflictError):
        await settle(store, a_call(), an_entry())
    assert (await today(store)).spent_usd_micros == 0


async def test_entries_are_listed_newest_first(store: SqlStore) -> None:
    elsewhere = replace(
        an_entry(5), session_id=SessionId("ses_b"), kind=EntryKind.ESTIMATE, amount_usd_micros=7
    )
    twin = replace(an_entry(2), request_id=RequestId("req_twin"), kind=EntryKind.ESTIMATE)
    foreign = replace(an_entry(9), owner_id=OTHER, session_id=None)
    async with store.writing() as tx:
        for entry in (an_entry(2), elsewhere, a_top_up(3), twin, foreign):
            assert await tx.ledger.add_entry(entry)
    async with store.reading() as tx:
        entries, spent = tx.ledger.entries, tx.ledger.spent_by_session
        assert await entries(OWNER) == [elsewhere, a_top_up(3), twin, an_entry(2)]
        assert await entries(OWNER, limit=2) == [elsewhere, a_top_up(3)]
        assert await entries(OWNER, session_id=SESSION_ID) == [twin, an_entry(2)]
        assert await entries(OTHER) == [foreign]
        assert await spent(SESSION_ID) == 80_000
        assert await spent(SessionId("ses_b")) == 7
        assert await spent(SessionId("ses_unknown")) == 0
