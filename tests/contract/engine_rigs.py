"""The engines under test, each with its database, and a handler that remembers what ran."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from datetime import UTC, datetime
from typing import Protocol, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from cofounder.adapters.clock import SystemClock
from cofounder.adapters.dbos import DbosEngine
from cofounder.domain.ids import SessionId
from cofounder.ports.engine import Engine, TurnHandler
from cofounder.ports.store import Transaction
from cofounder.testing.clock import FakeClock
from cofounder.testing.engine import InlineEngine

PATIENCE_S = 20.0


class Recorder:
    """A turn handler that remembers its turns and the loop they ran on."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, int]] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self._changed = asyncio.Event()

    async def __call__(self, session_id: SessionId, turn: int) -> None:
        self.ran.append((session_id, turn))
        self.loops.add(asyncio.get_running_loop())
        self._changed.set()

    async def until(self, session_id: str, turn: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while (session_id, turn) not in self.ran:
                self._changed.clear()
                await self._changed.wait()


class Blocker(Recorder):
    """Its turns do not end before they are released or cancelled."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, session_id: SessionId, turn: int) -> None:
        await super().__call__(session_id, turn)
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class Rig(Protocol):
    """One kind of engine, and transactions to enqueue in."""

    def engine(self, executor_id: str = "one") -> Engine: ...

    def writing(self) -> AbstractAsyncContextManager[Transaction]: ...

    async def until_ran(self, recorder: Recorder, session_id: str, turn: int) -> None:
        """Let the engine work until that turn ran."""
        ...


class DurableRig:
    """DBOS on a database; transactions are SQLAlchemy's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.clock = SystemClock()
        self._database = _database(url)

    def engine(self, executor_id: str = "one") -> DbosEngine:
        return DbosEngine(self.url, executor_id, self.clock, polling_interval_s=0.05)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        async with self._database.begin() as connection:
            yield _transaction(connection)

    async def until_ran(self, recorder: Recorder, session_id: str, turn: int) -> None:
        await recorder.until(session_id, turn)

    async def close(self) -> None:
        await self._database.dispose()


class InlineRig:
    """The shipped fake; every engine of the rig is the same one, as nothing outlives it."""

    def __init__(self) -> None:
        self.clock = FakeClock(datetime(2030, 1, 2, tzinfo=UTC))
        self._engine = InlineEngine(self.clock)

    def engine(self, executor_id: str = "one") -> InlineEngine:
        return self._engine

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        yield _transaction(None)

    async def until_ran(self, recorder: Recorder, session_id: str, turn: int) -> None:
        while (session_id, turn) not in recorder.ran:
            await self._engine.run_due()
            await self.clock.advance(0.1)


@asynccontextmanager
async def started(
    rig: Rig, handler: TurnHandler, executor_id: str = "one"
) -> AsyncIterator[Engine]:
    """A new engine of the rig, stopped without patience at the end."""
    engine = rig.engine(executor_id)
    await engine.start(handler)
    try:
        yield engine
    finally:
        await engine.stop(grace_s=0)


async def enqueue(
    rig: Rig, engine: Engine, session_id: str, turn: int, *, delay_s: float = 0.0
) -> None:
    """One turn, in a transaction of its own."""
    async with rig.writing() as tx:
        await engine.enqueue(tx, SessionId(session_id), turn, delay_s=delay_s)


def _transaction(connection: AsyncConnection | None) -> Transaction:
    class OnlyConnection:
        def __init__(self) -> None:
            self.connection: object = connection

    return cast("Transaction", OnlyConnection())


def _database(url: str) -> AsyncEngine:
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite":
        return create_async_engine(address.set(drivername="postgresql+psycopg"))
    with closing(sqlite3.connect(str(address.database))) as file:
        # A property of the file, as the store sets it before any engine is started.
        file.execute("PRAGMA journal_mode=WAL")
    engine = create_async_engine(address.set(drivername="sqlite+aiosqlite"))

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: sqlite3.Connection, record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
