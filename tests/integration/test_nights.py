"""Nights and refreshes, with a clock in hand. A budget day lasts `DAY_S` seconds."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cofounder.domain.budget import DayBudget
from cofounder.domain.errors import BudgetExceededError
from cofounder.domain.events.agent import BudgetExceeded, Sleeping, Waking
from cofounder.domain.ids import JobId
from cofounder.domain.money import Usage
from cofounder.domain.schedule import Span
from cofounder.domain.session import SessionState
from cofounder.services.turns import MAX_BARREN_STARTS
from cofounder.testing.clock import FakeClock
from cofounder.testing.prices import FlatPrices
from cofounder.testing.provider import RequestView, ToolCall, Turn
from tests.integration.services_rig import DAY_S, OWNER, START, Rig, rig

pytestmark = pytest.mark.anyio
DAY = timedelta(seconds=DAY_S)
DAY_USD_MICROS = 200_000


@dataclass
class MovingPrices:
    """Prices that can change between two looks."""

    factor: int = 1
    _flat: FlatPrices = field(default_factory=FlatPrices)

    def check(self, model: str) -> None:
        self._flat.check(model)

    def cost_usd_micros(self, model: str, usage: Usage) -> int:
        return self.factor * self._flat.cost_usd_micros(model, usage)

    def price_list(self, model: str) -> str:
        return self._flat.price_list(model)


def worker(view: RequestView) -> Turn:
    """Works without end, and never the same step twice."""
    file = {"path": f"{view.assistant_count}.txt", "content": "x"}
    return Turn(think="Thinking about it. " * 100, tools=(ToolCall("write_file", file),))


async def _asleep(at: Rig) -> JobId:
    """A job that has used up its first day."""
    await at.plan(DAY_USD_MICROS)
    job_id = await at.create()
    await at.run()
    assert await at.state(job_id) == "sleeping"
    return job_id


async def _pass(at: Rig, seconds: float) -> None:
    await at.clock.advance(seconds)
    await at.run()


async def _count(at: Rig, job_id: JobId, kind: type[object]) -> int:
    return sum(isinstance(event, kind) for event in await at.events(job_id))


async def test_every_night_has_one_sleep_and_one_wake(sqlite_store_url: str) -> None:
    async with rig(sqlite_store_url, worker) as at:
        job_id = await _asleep(at)
        for night in range(1, 4):
            assert (await at.session(job_id)).wake_at == START + night * DAY
            await _pass(at, DAY_S - 1)
            assert await at.state(job_id) == "sleeping"
            await _pass(at, 1)
            assert await _count(at, job_id, Waking) == night
            assert await _count(at, job_id, Sleeping) == night + 1
        spent = (await at.jobs.status(OWNER, job_id)).spent_usd_micros
        assert spent <= 4 * DAY_USD_MICROS * 110 // 100


async def test_a_dispatch_that_comes_too_early_lets_it_sleep_on(sqlite_store_url: str) -> None:
    async with rig(sqlite_store_url, worker) as at:
        job_id = await _asleep(at)
        before = await at.session(job_id)
        await at.turns.advance(before.session_id, before.turn)
        after = await at.session(job_id)
        assert after.state is SessionState.SLEEPING
        assert (after.wake_at, after.turn) == (before.wake_at, before.turn + 1)
        await _pass(at, DAY_S)
        assert await _count(at, job_id, Waking) == 1


async def test_a_refresh_without_enough_money_is_slept_through(sqlite_store_url: str) -> None:
    today = START + 5 * DAY
    async with rig(sqlite_store_url, worker, clock=FakeClock(today)) as at:
        await _overspent(at, Span(start=today - DAY, end=today))
        job_id = await _asleep(at)
        session = await at.session(job_id)
        async with at.store.writing() as tx:
            # More than the lean days have, less than an even day of the plan.
            await tx.sessions.save(replace(session, needs_usd_micros=DAY_USD_MICROS))
        assert session.wake_at == today + DAY
        await _pass(at, DAY_S)
        later = await at.session(job_id)
        assert later.state is SessionState.SLEEPING
        assert later.wake_at == today + 2 * DAY
        assert await _count(at, job_id, Waking) == 0


async def _overspent(at: Rig, day: Span) -> None:
    total = 30 * DAY_USD_MICROS
    async with at.store.writing() as tx:
        await tx.ledger.add_day(
            DayBudget(
                owner_id=OWNER,
                day=day,
                base_usd_micros=total,
                top_up_usd_micros=0,
                cycle_left_usd_micros=total,
                spent_usd_micros=total // 2,
                reserved_usd_micros=0,
            )
        )


async def test_a_price_surprise_is_stopped_by_the_breaker(sqlite_store_url: str) -> None:
    prices = MovingPrices()

    async def rise() -> None:
        prices.factor = 100

    async with rig(sqlite_store_url, worker, prices=prices) as at:
        at.model.hooks[1] = rise
        await at.plan(DAY_USD_MICROS)
        job_id = await at.create()
        await at.run()
        session = await at.session(job_id)
        assert session.state is SessionState.BUDGET_EXCEEDED
        assert session.wake_at == START + DAY
        assert session.budget_pct == 100
        (event,) = [e for e in await at.events(job_id) if isinstance(e, BudgetExceeded)]
        assert event.wake_at == START + DAY
        with pytest.raises(BudgetExceededError):
            await at.context.budget.check_runaway(OWNER)
        with pytest.raises(BudgetExceededError, match="does not suffice"):
            await at.sessions.wake(OWNER, job_id)
        prices.factor = 1
        await at.context.budget.top_up(OWNER, 50_000_000, idempotency_key=None)
        assert await _count(at, job_id, Waking) == 1


async def test_a_turn_that_never_gets_anywhere_is_given_up_in_sight(sqlite_store_url: str) -> None:
    asked = asyncio.Event()

    async def hang() -> None:
        asked.set()
        await asyncio.Future()

    async with rig(sqlite_store_url, worker) as at:
        job_id = await at.create()
        session = await at.session(job_id)
        for _ in range(MAX_BARREN_STARTS):
            asked.clear()
            at.model.hooks[1] = hang
            turn = asyncio.create_task(at.turns.advance(session.session_id, session.turn))
            await asyncio.wait_for(asked.wait(), 10)
            # As if the process had died here: nothing is tidied up.
            turn.cancel()
            await asyncio.wait({turn})
        await at.turns.advance(session.session_id, session.turn)
        stopped = await at.session(job_id)
        assert stopped.state is SessionState.ERROR
        assert "same step" in str(stopped.problem)
        # Each call that was begun is paid for by an estimate, once; nothing stays reserved.
        await at.turns.advance(session.session_id, session.turn)
        assert len((await at.context.budget.report(OWNER)).entries) == MAX_BARREN_STARTS
        assert await at.reserved() == 0
