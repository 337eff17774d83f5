"""The whole service behind real HTTP on the loopback interface, without an agent that works.

What the agent would have done is written straight into the store, through the services.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx2

from cofounder.adapters.bus import InProcessBus
from cofounder.adapters.clock import RandomIds, SystemClock
from cofounder.adapters.no_redis import NoHotState
from cofounder.adapters.sql import SqlStore
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import standard_tools
from cofounder.api.app import ApiConfig, Application, create_app
from cofounder.api.server import Server, bind
from cofounder.domain.escalation import Attempt, Escalation, Option
from cofounder.domain.events.agent import Narrated
from cofounder.domain.ids import EscalationId, JobId, OwnerId, RequestId
from cofounder.domain.money import Usage
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar
from cofounder.domain.session import Session, SessionState
from cofounder.ports.store import EntryKind, LedgerEntry, ModelCallRow, Transaction
from cofounder.services.budget import BudgetService, DefaultPlan
from cofounder.services.bundle import Services
from cofounder.services.context import Context
from cofounder.services.escalations import Asked, EscalationService
from cofounder.services.jobs import JobDefaults, JobService
from cofounder.services.publisher import Publisher
from cofounder.services.sessions import SessionService
from cofounder.services.transitions import BUDGET_REASON, Transitions
from cofounder.services.turns import AgentParts, TurnService
from cofounder.testing.auth import StaticTokens
from cofounder.testing.engine import InlineEngine
from cofounder.testing.prices import FlatPrices
from cofounder.testing.sandbox import InMemorySandbox
from cofounder.testing.scripted_model import ScriptedModel
from tests.integration.api_description import checked_response

MODEL, BROKEN_MODEL = "test-model", "broken-model"
VERSION = "1.2.3"
PATIENCE_S = 10
CYCLE_USD_MICROS = 30_000_000
_CALENDAR = MonthlyCalendar()


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a test may want otherwise."""

    ping_s: float = 15.0
    calendar: MonthlyCalendar | FixedCalendar = _CALENDAR


@dataclass(frozen=True, kw_only=True)
class FragilePrices(FlatPrices):
    """Prices of one model, with a defect for another."""

    def check(self, model: str) -> None:
        if model == BROKEN_MODEL:
            raise RuntimeError("kaputt")
        super().check(model)


class WatchedBus(InProcessBus):
    """The bus of one process; it loses the next `to_lose` events, and counts subscriptions."""

    to_lose = 0
    subscriptions = 0

    async def publish(self, job_id: JobId, event_json: bytes) -> None:
        if self.to_lose:
            self.to_lose -= 1
            return
        await super().publish(job_id, event_json)

    @asynccontextmanager
    async def subscribe(self, job_id: JobId) -> AsyncIterator[AsyncIterator[bytes]]:
        async with super().subscribe(job_id) as items:
            self.subscriptions += 1
            try:
                yield items
            finally:
                self.subscriptions -= 1


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What a test looks at from inside."""

    context: Context
    bus: WatchedBus
    publisher: Publisher
    app: Application
    server: Server
    serving: asyncio.Task[None]


class ApiService:
    """A running service: clients for its owners, and what the agent would do."""

    def __init__(self, url: str, parts: Parts) -> None:
        self.url, self.parts, self.serving = url, parts, parts.serving
        self.bus, self.context = parts.bus, parts.context
        self._clients: list[httpx2.AsyncClient] = []

    def client(self, token: str | None, *, checked: bool = True) -> httpx2.AsyncClient:
        """A client that brings the token along, and checks each answer's shape."""
        client = httpx2.AsyncClient(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=PATIENCE_S,
            event_hooks={"response": [checked_response]} if checked else {},
            limits=httpx2.Limits(max_connections=None),
        )
        self._clients.append(client)
        return client

    async def close_clients(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def narrate(self, job_id: str, *texts: str) -> None:
        """The agent says something."""
        async with self.locked(job_id) as (tx, session):
            for text in texts:
                tx.emit(Narrated(**self.context.transitions.origin(session), text=text))

    async def ask(self, job_id: str, *, cause: str = "cause") -> Escalation:
        """The agent asks the founder."""
        options = (
            Option(id="guide", label="Guide", description="Say how.", reversible=True),
            Option(id="skip", label="Skip", description="Leave it out.", reversible=False),
        )
        now = self.context.clock.now()
        asked = Asked(
            escalation_id=EscalationId(self.context.ids.new("esc")),
            cause=cause,
            problem="The build fails.",
            attempts=(Attempt(approach="make", result="error 1", at=now),),
            options=options,
            recommended="guide",
        )
        async with self.locked(job_id) as (tx, session):
            return await self.context.escalations.ask(tx, session, asked)

    async def work(self, job_id: str) -> None:
        """A worker takes the session."""
        async with self.locked(job_id) as (tx, session):
            await self.context.transitions.move(tx, session, SessionState.WORKING, "work")

    async def sleep(self, job_id: str, *, hours: float = 1) -> None:
        """The session goes to sleep for lack of money."""
        await self.work(job_id)
        wake_at = self.context.clock.now() + timedelta(hours=hours)
        async with self.locked(job_id) as (tx, session):
            await self.context.transitions.sleep(tx, session, wake_at, "Good night.", BUDGET_REASON)

    async def fail(self, job_id: str) -> None:
        """The session cannot go on."""
        await self.work(job_id)
        async with self.locked(job_id) as (tx, session):
            failed = replace(session, problem="It broke.")
            await self.context.transitions.move(tx, failed, SessionState.ERROR, "broke")

    async def spend(self, owner: str, job_id: str, amount_usd_micros: int) -> None:
        """A call of the model is made and paid for."""
        context, owner_id = self.context, OwnerId(owner)
        async with context.store.writing() as tx:
            day = await context.budget.today(tx, owner_id)
            job = await tx.jobs.get(JobId(job_id))
            assert job is not None
            call = ModelCallRow(
                request_id=RequestId(context.ids.new("call")),
                session_id=job.session_id,
                owner_id=owner_id,
                day_start=day.day.start,
                model=MODEL,
                reserved_usd_micros=amount_usd_micros,
                worst_usage=Usage(input_tokens=1),
                started_at=context.clock.now(),
            )
            assert await tx.ledger.reserve(call)
            await context.budget.record_call_cost(tx, call, _paid(call, amount_usd_micros))

    async def write_document(self, job_id: str, name: str, content: str) -> None:
        """The agent keeps a document."""
        async with self.context.store.writing() as tx:
            now = self.context.clock.now()
            await tx.work.put_document(JobId(job_id), name, content, now)

    @asynccontextmanager
    async def locked(self, job_id: str) -> AsyncIterator[tuple[Transaction, Session]]:
        """A transaction that holds the job's session."""
        async with self.context.store.writing() as tx:
            job = await tx.jobs.get(JobId(job_id))
            assert job is not None
            session = await tx.sessions.lock(job.session_id)
            assert session is not None
            yield tx, session


def _paid(call: ModelCallRow, amount_usd_micros: int) -> LedgerEntry:
    return LedgerEntry(
        request_id=call.request_id,
        owner_id=call.owner_id,
        session_id=call.session_id,
        kind=EntryKind.CALL,
        amount_usd_micros=amount_usd_micros,
        model=call.model,
        provider_request_id="req_1",
        usage=Usage(input_tokens=10, output_tokens=20),
        price="{}",
        at=call.started_at,
    )


def build_context(store: SqlStore, setup: Setup) -> Context:
    clock = SystemClock()
    engine = InlineEngine(clock)
    transitions = Transitions(clock=clock, engine=engine)
    budget = BudgetService(
        store=store,
        clock=clock,
        ids=RandomIds(),
        transitions=transitions,
        default_plan=DefaultPlan(cycle_amount_usd_micros=CYCLE_USD_MICROS, calendar=setup.calendar),
    )
    return Context(
        store=store,
        clock=clock,
        ids=RandomIds(),
        prices=FragilePrices(models={MODEL}),
        engine=engine,
        transitions=transitions,
        budget=budget,
        escalations=EscalationService(store=store, clock=clock, transitions=transitions),
    )


def build_services(context: Context, bus: WatchedBus) -> Services:
    parts = AgentParts(
        model=ScriptedModel([]),
        sandbox=InMemorySandbox(),
        tools=standard_tools(),
        retry=RetryPolicy(),
        max_tokens=4096,
    )
    return Services(
        jobs=JobService(context, JobDefaults(model=MODEL, max_tool_calls=100)),
        sessions=SessionService(context, TurnService(context, parts)),
        escalations=context.escalations,
        budget=context.budget,
        bus=bus,
        clock=context.clock,
        store=context.store,
    )


@asynccontextmanager
async def api_service(store_url: str, setup: Setup = Setup()) -> AsyncIterator[ApiService]:
    """Serve on a free port; `store_url` is a migrated database."""
    bus, clock = WatchedBus(), SystemClock()
    publisher = Publisher(bus=bus, hot_state=NoHotState(), clock=clock)
    store = SqlStore(store_url, publisher)
    publisher.start()
    context = build_context(store, setup)
    app = create_app(
        build_services(context, bus),
        StaticTokens({"token-ada": "ada", "token-bob": "bob"}),
        config=ApiConfig(allowed_hosts=("cofounder.test",), version=VERSION, ping_s=setup.ping_s),
    )
    server, listener = Server(app, clock=clock), bind("127.0.0.1", 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    parts = Parts(
        context=context, bus=bus, publisher=publisher, app=app, server=server, serving=serving
    )
    service = ApiService(f"http://127.0.0.1:{listener.getsockname()[1]}", parts)
    try:
        yield service
    finally:
        await service.close_clients()
        server.stop()
        await asyncio.wait_for(serving, PATIENCE_S)
        await publisher.close()
        await bus.close()
        await store.close()
