"""SQLite: one writer at a time in this process, as in the file itself, and any readers.

Statements run in the caller's thread: they touch the page cache, which takes microseconds,
where a hop to another thread and back costs a multiple of that. What may wait, for the
file's write lock or for the disk, runs in a thread of its own.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event

from cofounder.adapters.sql.connection import Row, to_the_end, translate_errors, unavailable
from cofounder.adapters.sql.schema import upgrade

T = TypeVar("T")

# Without an isolation level the driver begins nothing by itself, and so nothing too late.
_DRIVER = {"isolation_level": None, "check_same_thread": False, "timeout": 30}
_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")
_PATIENT, _IMPATIENT = "busy_timeout=30000", "busy_timeout=0"


class SqliteConnection:
    """One transaction's connection; see `connection.WritingConnection`."""

    def __init__(self, sync: sa.Connection, thread: ThreadPoolExecutor) -> None:
        """`thread` is where the commit waits for the disk."""
        self._sync, self._thread = sync, thread

    async def rows(self, statement: sa.Executable, /, **values: object) -> Sequence[Row]:
        """All rows of the result."""
        return self._sync.execute(statement, values).all()

    async def row(self, statement: sa.Executable, /, **values: object) -> Row | None:
        """The first row of the result."""
        return self._sync.execute(statement, values).first()

    async def change(self, statement: sa.Executable, /, **values: object) -> int:
        """How many rows were written."""
        return self._sync.execute(statement, values).rowcount

    async def change_many(
        self, statement: sa.Executable, values: Sequence[Mapping[str, object]]
    ) -> None:
        """The statement once for each of `values`."""
        self._sync.execute(statement, values)

    async def run_sync(self, work: Callable[[sa.Connection], T]) -> T:
        """Hand the plain SQLAlchemy connection to `work`, inside this transaction."""
        return work(self._sync)

    async def commit(self) -> asyncio.CancelledError | None:
        """Commit, to the end."""
        return await self.elsewhere(sa.Connection.commit)

    async def elsewhere(
        self, work: Callable[[sa.Connection], None]
    ) -> asyncio.CancelledError | None:
        """Do what may wait in the thread, to the end; see `to_the_end`."""
        loop = asyncio.get_running_loop()
        return await to_the_end(loop.run_in_executor(self._thread, work, self._sync))


class SqliteDatabase:
    """The file and its connections. They belong to one event loop."""

    def __init__(self, url: sa.URL) -> None:
        """Nothing is opened before it is needed."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="cofounder-sqlite")
        self._lock = asyncio.Lock()
        self._writers = _engine(url, (*_PRAGMAS, _IMPATIENT))
        self._readers = _engine(url, (*_PRAGMAS, _PATIENT, "query_only=ON"))

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[SqliteConnection]:
        """A transaction that is rolled back unless it was committed."""
        async with self._lock:
            with self._writers.connect() as sync:
                connection = SqliteConnection(sync, self._thread)
                try:
                    if not _begin_at_once(sync) and (
                        interruption := await connection.elsewhere(_begin)
                    ):
                        raise interruption
                    yield connection
                finally:
                    # A commit that was refused leaves the transaction open, while SQLAlchemy
                    # takes it for ended.
                    _driver(sync).rollback()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[SqliteConnection]:
        """A transaction that sees one state of the file, and cannot write."""
        with self._readers.connect() as sync:
            _driver(sync).execute("BEGIN")
            yield SqliteConnection(sync, self._thread)

    async def upgrade(self) -> None:
        """Migrate under the file's write lock, all or nothing."""
        async with self.writer() as connection:
            interruption = await connection.elsewhere(upgrade)
            interruption = await connection.commit() or interruption
        if interruption:
            raise interruption

    async def close(self) -> None:
        """Close all connections."""
        self._writers.dispose()
        self._readers.dispose()
        self._thread.shutdown()


def _begin_at_once(connection: sa.Connection) -> bool:
    """Take the file's write lock if it is free, which it mostly is."""
    try:
        _driver(connection).execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


def _begin(connection: sa.Connection) -> None:
    """Take the file's write lock, waiting for another process if need be."""
    connection.exec_driver_sql(f"PRAGMA {_PATIENT}")
    try:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        connection.exec_driver_sql(f"PRAGMA {_IMPATIENT}")


def _driver(connection: sa.Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def _engine(url: sa.URL, pragmas: Sequence[str]) -> sa.Engine:
    # A pool without a limit never blocks the event loop; the lock limits the writers.
    engine = sa.create_engine(url, connect_args=_DRIVER, pool_size=4, max_overflow=-1)
    translate_errors(engine, url)

    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, record: object) -> None:
        try:
            switch_to_wal(connection)
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            connection.close()
            raise unavailable(str(url), str(error)) from error

    return engine


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Let readers and the writer go on side by side; the file remembers it.

    Of several who switch a new file, SQLite refuses all but one without letting them wait.
    """
    for _ in range(9):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            # This does wait, until that one is done.
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")
