"""The service: every part made once, started in order, stopped in reverse."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from cofounder import __version__
from cofounder.adapters.anthropic import AnthropicModel
from cofounder.adapters.auth.token_file import TokenFile
from cofounder.adapters.bus import InProcessBus
from cofounder.adapters.clock import RandomIds, SystemClock
from cofounder.adapters.data_dir import DataDir
from cofounder.adapters.dbos import DbosEngine
from cofounder.adapters.merged_bus import MergedBus
from cofounder.adapters.no_redis import NoHotState
from cofounder.adapters.prices import GenaiPrices, TokenPrices
from cofounder.adapters.sandbox import open_sandbox
from cofounder.adapters.sql import SqlStore
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import standard_tools
from cofounder.api.app import ApiConfig, create_app
from cofounder.api.server import Server, bind
from cofounder.domain.errors import ConfigurationError
from cofounder.domain.money import micros_from_usd
from cofounder.domain.schedule import MonthlyCalendar
from cofounder.ports.bus import Bus
from cofounder.ports.clock import Clock
from cofounder.ports.engine import Engine
from cofounder.ports.hot_state import HotState
from cofounder.ports.model import Model, Prices
from cofounder.ports.sandbox import Sandbox
from cofounder.services.budget import BudgetService, DefaultPlan
from cofounder.services.bundle import Services
from cofounder.services.context import Context
from cofounder.services.escalations import EscalationService
from cofounder.services.jobs import JobDefaults, JobService
from cofounder.services.publisher import Publisher
from cofounder.services.sessions import SessionService
from cofounder.services.transitions import Transitions
from cofounder.services.turns import AgentParts, TurnService
from cofounder.services.wake_signals import WakeSignals
from cofounder.settings import Settings

GRACE_S = 30.0


@dataclass(kw_only=True)
class Running:
    """A service that runs. `redis` tells whether the one that is set answers, None without."""

    url: str
    token: str
    services: Services
    isolation: str
    redis: bool | None
    data_dir: DataDir
    grace_s: float = GRACE_S
    _stop: asyncio.Event = field(default_factory=asyncio.Event)

    def request_stop(self, *, hard: bool = False) -> None:
        """End after the running steps; `hard` gives them up, to be picked up at the next start."""
        self.grace_s = 0.0 if hard else self.grace_s
        self._stop.set()

    async def wait_stopped(self) -> None:
        """Until somebody asks for the end."""
        await self._stop.wait()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    """Run the service on this machine until the block ends.

    Raises `ConfigurationError` and its kin before anything is started: data directory,
    key, model price, port, sandbox, database.
    """
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    async with AsyncExitStack() as stack:
        stack.enter_context(data_dir.held())
        base = await _base(settings, data_dir, stack)
        listener = stack.enter_context(bind(settings.host, settings.port))
        sandbox = await open_sandbox(settings.sandbox, data_dir.workspaces)
        stack.push_async_callback(sandbox.close)
        turns = TurnService(base.context, _agent_parts(settings, base.model, sandbox))
        services = _services(settings, base, turns)
        auth = TokenFile(data_dir.token_file)
        host, port = listener.getsockname()[:2]
        live = Running(
            url=f"http://{host}:{port}",
            token=auth.token,
            services=services,
            isolation=sandbox.isolation.value,
            redis=await redis_answers(settings),
            data_dir=data_dir,
        )
        await base.engine.start(turns.advance)
        stack.push_async_callback(lambda: base.engine.stop(grace_s=live.grace_s))
        signals = WakeSignals(base.context, services.sessions, base.hot_state)
        signals.start()
        stack.push_async_callback(signals.close)
        config = ApiConfig(version=__version__, allowed_hosts=(host, "localhost"))
        app = create_app(services, auth, config=config)
        await stack.enter_async_context(_serving(Server(app, clock=base.context.clock), listener))
        stack.enter_context(data_dir.announced(live.url))
        yield live


@asynccontextmanager
async def _serving(server: Server, listener: socket.socket) -> AsyncIterator[None]:
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.stop()
        await task


@dataclass(frozen=True, kw_only=True)
class _Base:
    """What everything else stands on. Closed in reverse by the stack that opened it."""

    context: Context
    engine: Engine
    model: Model
    bus: Bus
    hot_state: HotState


async def _base(settings: Settings, data_dir: DataDir, stack: AsyncExitStack) -> _Base:
    clock, ids = SystemClock(), RandomIds()
    prices = open_prices(settings, clock)
    prices.check(settings.model)
    model = _model(settings)
    stack.push_async_callback(model.close)
    bus, hot_state = _connections(settings, clock)
    stack.push_async_callback(hot_state.close)
    stack.push_async_callback(bus.close)
    publisher = Publisher(bus=bus, hot_state=hot_state, clock=clock)
    store = SqlStore(settings.sql_url, listener=publisher)
    stack.push_async_callback(store.close)
    await store.migrate()
    publisher.start()
    stack.push_async_callback(publisher.close)
    engine = DbosEngine(
        database_url=settings.sql_url, executor_id=data_dir.executor_id(), clock=clock
    )
    transitions = Transitions(clock=clock, engine=engine)
    budget = BudgetService(
        store=store,
        clock=clock,
        ids=ids,
        transitions=transitions,
        default_plan=_default_plan(settings),
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
    return _Base(context=context, engine=engine, model=model, bus=bus, hot_state=hot_state)


def _default_plan(settings: Settings) -> DefaultPlan:
    return DefaultPlan(
        cycle_amount_usd_micros=micros_from_usd(settings.cycle_budget_usd),
        calendar=MonthlyCalendar(renewal_day=settings.renewal_day, time_zone=settings.time_zone),
    )


def _agent_parts(settings: Settings, model: Model, sandbox: Sandbox) -> AgentParts:
    return AgentParts(
        model=model,
        sandbox=sandbox,
        tools=standard_tools(),
        retry=RetryPolicy(),
        max_tokens=settings.max_tokens,
    )


def _services(settings: Settings, base: _Base, turns: TurnService) -> Services:
    context = base.context
    defaults = JobDefaults(model=settings.model, max_tool_calls=settings.max_tool_calls)
    return Services(
        jobs=JobService(context, defaults),
        sessions=SessionService(context, turns),
        escalations=context.escalations,
        budget=context.budget,
        bus=base.bus,
        clock=context.clock,
        store=context.store,
    )


async def migrate(settings: Settings) -> None:
    """Bring the database up to date, without starting anything."""
    DataDir(settings.data_dir).prepare()
    store = SqlStore(settings.sql_url, listener=None)
    try:
        await store.migrate()
    finally:
        await store.close()


def local_token(settings: Settings) -> str:
    """The token of this data directory, made when there is none yet."""
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    return TokenFile(data_dir.token_file).token


def open_prices(settings: Settings, clock: Clock) -> Prices:
    """The price list, the operator's own prices first."""
    overrides = {
        name: TokenPrices(
            input=price.input,
            output=price.output,
            cache_read=price.cache_read,
            cache_write=price.cache_write,
        )
        for name, price in settings.prices.items()
    }
    return GenaiPrices(clock=clock, overrides=overrides)


async def redis_answers(settings: Settings) -> bool | None:
    """Whether the Redis that is set can be reached; None when none is set."""
    if settings.redis_url is None:
        return None
    # See `_connections`.
    from cofounder.adapters.redis import reachable

    return await reachable(settings.redis_url)


def redacted(url: str) -> str:
    """A database URL without its password, for people."""
    return re.sub(r"://([^:/@]*):[^@]*@", r"://\1:***@", url)


def _model(settings: Settings) -> Model:
    if settings.anthropic_api_key is None:
        raise ConfigurationError(
            "There is no key for the model: ANTHROPIC_API_KEY is not set.",
            cure="Export it and start again, or see the whole story without a key: cofounder demo.",
        )
    return AnthropicModel(
        api_key=settings.anthropic_api_key.get_secret_value(),
        base_url=settings.anthropic_base_url,
    )


def _connections(settings: Settings, clock: Clock) -> tuple[Bus, HotState]:
    local = InProcessBus()
    if settings.redis_url is None:
        return local, NoHotState()
    # The client takes half a second to import, which a start without Redis is spared.
    from cofounder.adapters.redis import RedisBus, RedisConnection, RedisHotState

    redis = RedisConnection(settings.redis_url, clock)
    return MergedBus(local, RedisBus(redis, fan_out=InProcessBus())), RedisHotState(redis)
