"""The use cases over a real database, with time, model and sandbox in the test's hands."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from cofounder.adapters.sql import SqlStore
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import standard_tools
from cofounder.domain.budget import Plan
from cofounder.domain.escalation import Escalation
from cofounder.domain.events import Event
from cofounder.domain.ids import JobId, OwnerId, SessionId
from cofounder.domain.schedule import FixedCalendar
from cofounder.domain.session import Session
from cofounder.domain.transcript import Message
from cofounder.ports.clock import Clock
from cofounder.ports.model import ModelReply, ModelRequest, Prices
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
from cofounder.testing.provider import Script, Turn
from cofounder.testing.provider.script import Dynamic
from cofounder.testing.sandbox import InMemorySandbox
from cofounder.testing.scripted_model import ScriptedModel

START = datetime(2026, 3, 2, tzinfo=UTC)
OWNER = OwnerId("founder")
DAY_S = 1000.0

Hook = Callable[[], Awaitable[object]]


class HookedModel(ScriptedModel):
    """Something happens while the model thinks: `hooks` by the number of the call, from 1."""

    def __init__(self, script: Script | list[Turn] | Dynamic) -> None:
        super().__init__(script)
        self.hooks: dict[int, Hook] = {}

    async def complete(self, request: ModelRequest) -> ModelReply:
        hook = self.hooks.pop(len(self.requests) + 1, None)
        if hook is not None:
            await hook()
        return await super().complete(request)


@dataclass(frozen=True, kw_only=True)
class Rig:
    """Everything that a test of the use cases needs."""

    store: SqlStore
    clock: FakeClock
    engine: InlineEngine
    context: Context
    turns: TurnService
    jobs: JobService
    sessions: SessionService
    model: HookedModel
    sandbox: InMemorySandbox

    async def plan(self, day_usd_micros: int) -> None:
        """Days of `DAY_S` seconds from `START` on, thirty a cycle."""
        calendar = FixedCalendar(anchor=START, day_s=DAY_S, days_per_cycle=30)
        await self.context.budget.set_plan(
            Plan(
                owner_id=OWNER,
                cycle_amount_usd_micros=30 * day_usd_micros,
                calendar=calendar,
            )
        )

    async def create(self, idea: str = "Build a thing.") -> JobId:
        view = await self.jobs.create(OWNER, JobRequest(idea_brief=idea))
        return view.job.job_id

    async def run(self) -> None:
        await self.engine.run_due()

    async def session(self, job_id: JobId) -> Session:
        async with self.store.reading() as tx:
            session = await tx.sessions.get(SessionId(job_id))
        assert session is not None
        return session

    async def state(self, job_id: JobId) -> str:
        return (await self.session(job_id)).state.value

    async def open(self, job_id: JobId) -> list[Escalation]:
        async with self.store.reading() as tx:
            return list(await tx.decisions.open_of_session(SessionId(job_id)))

    async def messages(self, job_id: JobId) -> list[Message]:
        async with self.store.reading() as tx:
            return await tx.conversation.messages(SessionId(job_id))

    async def events(self, job_id: JobId) -> list[Event]:
        async with self.store.reading() as tx:
            return [s.event for s in await tx.events.after(job_id, 0, limit=1000)]

    async def reserved(self) -> int:
        async with self.store.reading() as tx:
            return (await self.context.budget.peek(tx, OWNER)).reserved_usd_micros


@asynccontextmanager
async def rig(
    url: str,
    script: Script | list[Turn] | Dynamic,
    *,
    clock: FakeClock | None = None,
    prices: Prices | None = None,
    sandbox: InMemorySandbox | None = None,
) -> AsyncIterator[Rig]:
    """A service without a process: turns run inside `Rig.run`, and time stands still."""
    clock = clock or FakeClock(START)
    store, engine = SqlStore(url), InlineEngine(clock)
    context = _context(store, clock, engine, prices or FlatPrices())
    model, box = HookedModel(script), sandbox or InMemorySandbox()
    parts = AgentParts(
        model=model, sandbox=box, tools=standard_tools(), retry=RetryPolicy(), max_tokens=4000
    )
    turns = TurnService(context, parts)
    await engine.start(turns.advance)
    yield Rig(
        store=store,
        clock=clock,
        engine=engine,
        context=context,
        turns=turns,
        jobs=JobService(context, JobDefaults(model="some-model", max_tool_calls=1000)),
        sessions=SessionService(context, turns),
        model=model,
        sandbox=box,
    )
    await store.close()


def _context(store: SqlStore, clock: Clock, engine: InlineEngine, prices: Prices) -> Context:
    ids = SequentialIds()
    transitions = Transitions(clock=clock, engine=engine)
    default = DefaultPlan(
        cycle_amount_usd_micros=3_000_000_000,
        calendar=FixedCalendar(anchor=START, day_s=DAY_S, days_per_cycle=30),
    )
    return Context(
        store=store,
        clock=clock,
        ids=ids,
        prices=prices,
        engine=engine,
        transitions=transitions,
        budget=BudgetService(
            store=store, clock=clock, ids=ids, transitions=transitions, default_plan=default
        ),
        escalations=EscalationService(store=store, clock=clock, transitions=transitions),
    )
