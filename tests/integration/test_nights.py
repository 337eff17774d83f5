"""Nights and refreshes, with a clock in hand."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cofounder.domain.errors import BudgetExceededError
from cofounder.domain.events.agent import BudgetExceeded, Sleeping, Waking
from cofounder.domain.ids import JobId
from cofounder.domain.session import SessionState
from cofounder.ports.model import ModelReply, ModelRequest
from cofounder.services.turns import MAX_BARREN_STARTS
from cofounder.testing.provider import RequestView, ToolCall, Turn
from cofounder.testing.scripted_model import ScriptedModel
from tests.integration.workshop import OWNER, Workshop, workshop

pytestmark = pytest.mark.anyio
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)


def worker(view: RequestView) -> Turn:
    """Works without end, and never the same step twice."""
    number = view.assistant_count
    file = {"path": f"{number}.txt", "content": "x"}
    return Turn(think="Thinking about it. " * 100, tools=(ToolCall("write_file", file),))


async def test_every_night_has_one_sleep_and_one_wake(tmp_path: Path) -> None:
    async with workshop(tmp_path, ScriptedModel(worker), day_usd_micros=200_000) as at:
        job_id = await at.create()
        await at.engine.run_due()
        for night in range(1, 4):
            session = await at.session(job_id)
            assert session.state is SessionState.SLEEPING
            assert session.wake_at == MIDNIGHT.replace(day=10 + night)
            left_s = (session.wake_at - at.clock.now()).total_seconds()
            await at.pass_time(left_s - 1)
            assert (await at.session(job_id)).state is SessionState.SLEEPING
            await at.pass_time(1)
            events = await at.events(job_id)
            assert sum(isinstance(e, Waking) for e in events) == night
            assert sum(isinstance(e, Sleeping) for e in events) == night + 1
        spent = (await at.jobs.status(OWNER, job_id)).spent_usd_micros
        assert spent <= 4 * 200_000 * 110 // 100


async def test_a_dispatch_that_comes_too_early_lets_it_sleep_on(tmp_path: Path) -> None:
    async with workshop(tmp_path, ScriptedModel(worker), day_usd_micros=200_000) as at:
        job_id = await at.create()
        await at.engine.run_due()
        before = await at.session(job_id)
        await at.turns.advance(before.session_id, before.turn)
        after = await at.session(job_id)
        assert after.state is SessionState.SLEEPING
        assert after.wake_at == before.wake_at
        assert after.turn == before.turn + 1
        await at.pass_time(12 * 3600)
        assert any(isinstance(e, Waking) for e in await at.events(job_id))


async def test_a_refresh_without_enough_money_is_slept_through(tmp_path: Path) -> None:
    async with workshop(tmp_path, ScriptedModel(worker), day_usd_micros=200_000) as at:
        job_id = await at.create()
        await at.engine.run_due()
        await _raise_needs(at, job_id)
        await at.pass_time(12 * 3600)
        session = await at.session(job_id)
        assert session.state is SessionState.SLEEPING
        assert session.wake_at == datetime(2026, 3, 12, tzinfo=UTC)
        assert not any(isinstance(e, Waking) for e in await at.events(job_id))


async def _raise_needs(at: Workshop, job_id: JobId) -> None:
    session_id = (await at.session(job_id)).session_id
    async with at.store.writing() as tx:
        session = await tx.sessions.lock(session_id)
        assert session is not None
        await tx.sessions.save(replace(session, needs_usd_micros=10**9))


async def test_a_price_surprise_is_stopped_by_the_breaker(tmp_path: Path) -> None:
    class Dearer(ScriptedModel):
        async def complete(self, request: ModelRequest) -> ModelReply:
            reply = await super().complete(request)
            at.prices.factor = 100
            return reply

    async with workshop(tmp_path, Dearer(worker), day_usd_micros=200_000) as at:
        job_id = await at.create()
        await at.engine.run_due()
        session = await at.session(job_id)
        assert session.state is SessionState.BUDGET_EXCEEDED
        assert session.wake_at == MIDNIGHT
        assert session.budget_pct == 100
        (event,) = [e for e in await at.events(job_id) if isinstance(e, BudgetExceeded)]
        assert event.wake_at == MIDNIGHT
        with pytest.raises(BudgetExceededError):
            await at.budget.check_runaway(OWNER)
        with pytest.raises(BudgetExceededError, match="does not suffice"):
            await at.sessions.wake(OWNER, job_id)
        at.prices.factor = 1
        await at.budget.top_up(OWNER, 50_000_000, idempotency_key=None)
        await at.engine.run_due()
        assert any(isinstance(e, Waking) for e in await at.events(job_id))


async def test_a_turn_that_never_gets_anywhere_is_given_up_in_sight(tmp_path: Path) -> None:
    class Stuck(ScriptedModel):
        async def complete(self, request: ModelRequest) -> ModelReply:
            asked.set()
            return await asyncio.Future()

    asked = asyncio.Event()
    async with workshop(tmp_path, Stuck([])) as at:
        job_id = await at.create()
        session = await at.session(job_id)
        for _ in range(MAX_BARREN_STARTS):
            asked.clear()
            turn = asyncio.create_task(at.turns.advance(session.session_id, session.turn))
            await asyncio.wait_for(asked.wait(), 10)
            # As if the process had died here: nothing is tidied up.
            turn.cancel()
            await asyncio.wait({turn})
        await at.turns.advance(session.session_id, session.turn)
        stopped = await at.session(job_id)
        assert stopped.state is SessionState.ERROR
        assert stopped.problem is not None
        assert "same step" in stopped.problem
        # Each call that was begun is paid for by an estimate, once.
        entries = (await at.budget.report(OWNER)).entries
        assert len(entries) == MAX_BARREN_STARTS - 1
