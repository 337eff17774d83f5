"""The use cases over a real database, with a clock, a model and a price list in hand."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cofounder.adapters.sql import SqlStore
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import standard_tools
from cofounder.domain.events import Event
from cofounder.domain.ids import JobId, OwnerId
from cofounder.domain.money import Usage
from cofounder.domain.schedule import MonthlyCalendar
from cofounder.domain.session import Session
from cofounder.ports.model import Model
from cofounder.services.budget import BudgetService, DefaultPlan
from cofounder.services.context import Context
from cofounder.services.escalations import EscalationService
from cofounder.services.jobs import JobDefaults, JobRequest, JobService
from cofounder.services.sessions import SessionService
from cofounder.services.transitions import Transitions
from cofounder.services.turns import AgentParts, TurnService
from cofounder.testing.clock import FakeClock, SequentialIds
from cofounder.testing.engine import InlineEngine
from cofounder.testing.prices import FlatPrices
from cofounder.testing.sandbox import InMemorySandbox

OWNER = OwnerId("ada")
MODEL = "any"
# 22 days before the renewal, at noon.
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


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


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """Everything wired, nothing running by itself: `engine.run_due` runs what is due."""

    store: SqlStore
    clock: FakeClock
    engine: InlineEngine
    prices: MovingPrices
    jobs: JobService
    sessions: SessionService
    budget: BudgetService
    turns: TurnService

    async def create(self) -> JobId:
        request = JobRequest(idea_brief="Build a thing.")
        return (await self.jobs.create(OWNER, request)).job.job_id

    async def session(self, job_id: JobId) -> Session:
        return (await self.jobs.get(OWNER, job_id)).session

    async def events(self, job_id: JobId) -> Sequence[Event]:
        stored = await self.jobs.events(OWNER, job_id, after=0, limit=1000)
        return [each.event for each in stored]

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.engine.run_due()


@asynccontextmanager
async def workshop(
    folder: Path, model: Model, *, day_usd_micros: int = 1_000_000
) -> AsyncIterator[Workshop]:
    """22 days are left of the cycle; each may spend `day_usd_micros`."""
    clock, ids, prices = FakeClock(NOON), SequentialIds(), MovingPrices()
    engine, store = InlineEngine(clock), SqlStore(f"sqlite:///{folder / 'workshop.db'}")
    await store.migrate()
    transitions = Transitions(clock=clock, engine=engine)
    budget = BudgetService(
        store=store,
        clock=clock,
        ids=ids,
        transitions=transitions,
        default_plan=DefaultPlan(
            cycle_amount_usd_micros=22 * day_usd_micros, calendar=MonthlyCalendar()
        ),
    )
    context = Context(
        store=store,
        clock=clock,
        ids=ids,
        prices=prices,
        engine=engine,
        transitions=transitions,
        budget=budget,
        escalations=EscalationService(store=store, clock=clock, transitions=transitions),
    )
    parts = AgentParts(
        model=model,
        sandbox=InMemorySandbox(),
        tools=standard_tools(),
        retry=RetryPolicy(),
        max_tokens=4096,
    )
    turns = TurnService(context, parts)
    await engine.start(turns.advance)
    yield Workshop(
        store=store,
        clock=clock,
        engine=engine,
        prices=prices,
        jobs=JobService(context, JobDefaults(model=MODEL, max_tool_calls=1000)),
        sessions=SessionService(context, turns),
        budget=budget,
        turns=turns,
    )
    await store.close()
