"""The store: opens transactions, writes their events last, tells of them after the commit."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

import structlog

from cofounder.adapters.sql.address import read_address
from cofounder.adapters.sql.connection import Connection, WritingConnection
from cofounder.adapters.sql.outbox import CommitOrder
from cofounder.adapters.sql.schema import is_current
from cofounder.adapters.sql.sqlite import SqliteDatabase
from cofounder.adapters.sql.transaction import SqlTransaction
from cofounder.ports.store import CommitListener, StoredEvent

_LOG = structlog.get_logger(__name__)


class Database(Protocol):
    """What differs between the databases."""

    def writer(self) -> AbstractAsyncContextManager[WritingConnection]:
        """A transaction that is rolled back unless it was committed."""
        ...

    def reader(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction that sees one state of the database, and cannot write."""
        ...

    async def upgrade(self) -> None:
        """Run the missing migrations, alone."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class SqlStore:
    """Implements `ports.store.Store`. It belongs to the event loop that uses it first.

    Besides what the port says, a transaction raises `ConflictError` for rows that were
    there before, and `StoreUnavailableError` when the database fails.
    """

    def __init__(self, url: str, listener: CommitListener | None = None) -> None:
        """`url` is `sqlite:///path` or `postgresql://…`; `ConfigurationError` for others."""
        self._database = _open(url)
        self._listener = listener
        self._order = CommitOrder()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqlTransaction]:
        """A transaction that commits when the block ends, or rolls back when it raises."""
        async with self._database.writer() as connection:
            tx = SqlTransaction(connection)
            yield tx
            async with self._order.of(tx.outbox.job_ids):
                events = await tx.outbox.write(connection)
                interruption = await connection.commit()
                self._tell(events)
        if interruption:
            raise interruption

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqlTransaction]:
        """A consistent view; the database refuses to write in it."""
        async with self._database.reader() as connection:
            yield SqlTransaction(connection)

    async def migrate(self) -> None:
        """Bring the schema up to date; see `ports.store.Store.migrate`."""
        async with self._database.reader() as connection:
            if await connection.run_sync(is_current):
                return
        await self._database.upgrade()

    async def close(self) -> None:
        """Give back the connections."""
        await self._database.close()

    def _tell(self, events: Sequence[StoredEvent]) -> None:
        if not events or self._listener is None:
            return
        try:
            self._listener.committed(events)
        except Exception:  # what is committed is true, whatever a listener makes of it
            _LOG.exception("commit_listener_failed")


def _open(url: str) -> Database:
    address = read_address(url)
    if address.get_backend_name() == "sqlite":
        return SqliteDatabase(address)
    # Its driver and the asynchronous engine are slow to import, and not needed embedded.
    from cofounder.adapters.sql.postgres import PostgresDatabase

    return PostgresDatabase(address)
