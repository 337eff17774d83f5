"""Money and time: top-ups, refreshes and neighbours at awkward moments."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa
from pydantic import JsonValue

from cofounder.adapters.sql.transaction import SqlTransaction
from cofounder.domain.ids import SessionId
from cofounder.domain.session import SessionState
from cofounder.domain.transcript import Role
from cofounder.services.transitions import BUDGET_REASON
from cofounder.testing.clock import FakeClock
from cofounder.testing.prices import FlatPrices
from cofounder.testing.provider import RequestView, Script, ToolCall, Turn
from tests.integration.services_rig import DAY_S, OWNER, START, Rig, rig

pytestmark = pytest.mark.anyio

HANDOVER = ToolCall("document", {"name": "handover", "content": "Next: the rest."})
OPTIONS: list[JsonValue] = [
    {"id": "yes", "label": "Yes", "description": "Do it."},
    {"id": "no", "label": "No", "description": "Do not."},
]
ASK = ToolCall("ask_founder", {"problem": "May I?", "options": OPTIONS, "recommended": "yes"})
THOUGHT = "I think about it at length. " * 200
DAY_USD_MICROS = 300_000
DONE = [Turn(tools=(ToolCall("glob", {"pattern": "*"}),)), Turn(say="Done.")]


def obedient(view: RequestView) -> Turn:
    """Works at length, and hands over and ends its turn whenever it is told to."""
    said = "".join(m.text for m in view.messages if m.role is Role.USER)
    handovers = sum(use.name == "document" for m in view.messages for use in m.tool_uses)
    if handovers < said.count("of today's budget is used"):
        return Turn(tools=(HANDOVER,))
    handed_over = any("Kept handover" in result.text for result in view.tool_results)
    if handed_over and "Go on" not in "".join(view.user_texts):
        return Turn(say="Handed over.")
    return Turn(think=THOUGHT, tools=(ToolCall("glob", {"pattern": str(view.assistant_count)}),))


async def _use_up_the_day(home: Rig) -> SessionId:
    await home.plan(DAY_USD_MICROS)
    job_id = await home.create()
    await home.run()
    assert await home.state(job_id) == "sleeping"
    return (await home.session(job_id)).session_id


# Which of the day's calls the money comes with, counted from the last one, which ends the turn.
@pytest.mark.parametrize("from_the_end", [0, 1])
@pytest.mark.parametrize("news", ["a top-up", "a refresh"])
async def test_money_that_comes_while_it_winds_down_is_worked_with(
    sqlite_store_url: str, from_the_end: int, news: str
) -> None:
    async with rig(sqlite_store_url, obedient) as home:
        await _use_up_the_day(home)
        last = len(home.model.requests)
        (before,) = await home.jobs.page(OWNER, before=None, limit=1)
        await home.sessions.cancel(OWNER, before.job.job_id)
        await home.clock.advance(DAY_S)
        job_id = await home.create("The same once more.")

        async def arrive() -> None:
            if news == "a top-up":
                await home.context.budget.top_up(OWNER, DAY_USD_MICROS, idempotency_key=None)
            else:
                await home.clock.advance(DAY_S)

        home.model.hooks[2 * last - from_the_end] = arrive
        await home.run()
        assert len(home.model.requests) > 2 * last + 2
        assert await home.state(job_id) == "sleeping"


async def test_an_answer_after_the_hand_over_is_not_taken_for_the_end(
    sqlite_store_url: str,
) -> None:
    def asking(view: RequestView) -> Turn:
        if not view.assistant_count:
            return Turn(tools=(ASK,))
        if any("founder answered" in text for text in view.user_texts):
            return Turn(say="Noted, for tomorrow.")
        return obedient(view)

    # The prompt costs next to nothing, so that the last tenth of the day still pays for calls.
    prices = FlatPrices(input=Decimal("0.1"), cache_write=Decimal("0.1"))
    async with rig(sqlite_store_url, asking, prices=prices) as home:
        await home.plan(3 * DAY_USD_MICROS)
        job_id = await home.create()
        await home.run()
        assert await home.state(job_id) == "waiting_for_input"
        (asked,) = await home.open(job_id)
        await home.context.escalations.resolve(
            OWNER, asked.escalation_id, decision="yes", guidance=None
        )
        await home.run()
        assert (await home.messages(job_id))[-1].text == "Noted, for tomorrow."
        assert await home.state(job_id) == "sleeping"


async def test_a_neighbours_reservation_is_no_reason_to_sleep_for_a_day(
    sqlite_store_url: str,
) -> None:
    async with rig(sqlite_store_url, lambda view: DONE[view.assistant_count]) as home:
        # A reply may cost 60 000 and its prompt 20 000: one reservation fits, two do not.
        await home.plan(100_000)
        first, second = await home.create(), await home.create("Another thing.")
        neighbour = (await home.session(second)).session_id
        home.model.hooks[1] = lambda: home.turns.advance(neighbour, 1)
        await home.run()
        assert await home.state(first) == "completed"
        assert await home.state(second) == "sleeping"
        await home.clock.advance(DAY_S / 4)
        await home.run()
        assert await home.state(second) == "completed"


async def test_a_need_that_no_day_meets_is_not_slept_over_for_ever(sqlite_store_url: str) -> None:
    async with rig(sqlite_store_url, obedient) as home:
        session_id = await _use_up_the_day(home)
        await home.plan(DAY_USD_MICROS // 20)
        for _ in range(3):
            await home.clock.advance(DAY_S)
            await home.run()
        async with home.store.reading() as tx:
            (asked,) = await tx.decisions.open_of_session(session_id)
        assert "One step may cost" in asked.problem


class TickingClock(FakeClock):
    """Every look at it takes a moment, once `tick_s` is set."""

    tick_s = 0.0
    _ticked_s = 0.0

    def now(self) -> datetime:
        self._ticked_s += self.tick_s
        return super().now() + timedelta(seconds=self._ticked_s)


@pytest.mark.parametrize("ticks_before_the_end", range(1, 12))
async def test_a_day_that_ends_while_it_falls_asleep_is_not_slept_through(
    sqlite_store_url: str, ticks_before_the_end: int
) -> None:
    clock = TickingClock(START)
    script = Script(default=obedient, jobs={"The second": DONE})
    async with rig(sqlite_store_url, script, clock=clock) as home:
        await _use_up_the_day(home)
        # A little less than before, so that nothing is left for the second.
        await home.plan(9 * DAY_USD_MICROS // 10)
        job_id = await home.create("The second.")
        await clock.advance(DAY_S - ticks_before_the_end - 0.5)
        clock.tick_s = 1.0
        session = await home.session(job_id)
        await home.turns.advance(session.session_id, 1)
        woken_at = (await home.session(job_id)).wake_at
        assert woken_at is None or woken_at <= START + timedelta(seconds=DAY_S)


async def test_a_top_up_at_the_moment_of_falling_asleep_wakes(postgres_store_url: str) -> None:
    async with rig(postgres_store_url, obedient) as home:
        await home.plan(DAY_USD_MICROS)
        job_id = await home.create()
        transitions, budget = home.context.transitions, home.context.budget
        async with home.store.writing() as tx, asyncio.timeout(20):
            session = await tx.sessions.lock(SessionId(job_id))
            assert session is not None
            working = await transitions.move(tx, session, SessionState.WORKING, "a worker")
            day = await budget.today(tx, OWNER)
            top_up = asyncio.create_task(budget.top_up(OWNER, 5_000_000, idempotency_key=None))
            while not await _somebody_waits(home):
                pass
            await transitions.sleep(tx, working, day.day.end, "It is used up.", BUDGET_REASON)
        await top_up
        assert await home.state(job_id) == "queued"


async def _somebody_waits(home: Rig) -> bool:
    async with home.store.reading() as tx:
        assert isinstance(tx, SqlTransaction)
        waiting = sa.text("SELECT 1 FROM pg_locks WHERE NOT granted")
        return bool(await tx.connection.rows(waiting))
