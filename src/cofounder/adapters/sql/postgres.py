"""PostgreSQL: a pool of asynchronous connections; row locks order the writers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from cofounder.adapters.sql.connection import Row, to_the_end, translate_errors, unavailable
from cofounder.adapters.sql.schema import upgrade
from cofounder.domain.errors import StoreUnavailableError

T = TypeVar("T")

# A server that fell silent is given up after a minute, in the middle of a commit too.
_DRIVER = {
    "application_name": "cofounder",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_WRITE, _READ = "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
# Any number that nobody else uses in this database: the first bytes of the project's name.
_MIGRATION_LOCK = sa.select(sa.func.pg_advisory_lock(0x636F666F756E64))


class PostgresConnection:
    """One transaction's connection; see `connection.WritingConnection`."""

    def __init__(self, connection: AsyncConnection) -> None:
        """The transaction has begun."""
        self._connection = connection

    async def rows(self, statement: sa.Executable, /, **values: object) -> Sequence[Row]:
        """All rows of the result."""
        return (await self._connection.execute(statement, values)).all()

    async def row(self, statement: sa.Executable, /, **values: object) -> Row | None:
        """The first row of the result."""
        return (await self._connection.execute(statement, values)).first()

    async def change(self, statement: sa.Executable, /, **values: object) -> int:
        """How many rows were written."""
        return (await self._connection.execute(statement, values)).rowcount

    async def change_many(
        self, statement: sa.Executable, values: Sequence[Mapping[str, object]]
    ) -> None:
        """The statement once for each of `values`."""
        await self._connection.execute(statement, values)

    async def run_sync(self, work: Callable[[sa.Connection], T]) -> T:
        """Hand the plain SQLAlchemy connection to `work`, inside this transaction."""
        return await self._connection.run_sync(work)

    async def commit(self) -> asyncio.CancelledError | None:
        """Commit, to the end: a commit that is cut off may have happened or not."""
        return await to_the_end(asyncio.ensure_future(self._connection.commit()))


class PostgresDatabase:
    """The pool of connections. It belongs to one event loop."""

    def __init__(self, url: sa.URL) -> None:
        """Nothing is connected before it is needed."""
        self._url = url.update_query_dict({**_DRIVER, **url.query})
        # "AUTOCOMMIT" says that the driver begins nothing by itself: `_transaction` does.
        self._engine = create_async_engine(self._url, isolation_level="AUTOCOMMIT", pool_size=10)
        translate_errors(self._engine.sync_engine, url)

    @asynccontextmanager
    async def writer(self) -> AsyncIterator[PostgresConnection]:
        """A transaction that is rolled back unless it was committed."""
        async with self._transaction(_WRITE) as connection:
            yield connection

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[PostgresConnection]:
        """A transaction that sees one state of the database, and cannot write."""
        async with self._transaction(_READ) as connection:
            yield connection

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[PostgresConnection]:
        connection = await self._connected()
        try:
            try:
                await connection.exec_driver_sql(begin)
            except StoreUnavailableError:
                if not connection.invalidated:
                    raise
                # It broke while nobody used it, as after hours of sleep. All that were
                # opened before it are replaced now, this one by the next statement.
                await connection.rollback()
                await connection.exec_driver_sql(begin)
            yield PostgresConnection(connection)
        finally:
            # Rolls back what was not committed, even while it is cancelled again and again.
            if interruption := await to_the_end(asyncio.ensure_future(connection.close())):
                raise interruption

    async def _connected(self) -> AsyncConnection:
        try:
            return await self._engine.connect()
        except sa.exc.TimeoutError as error:
            raise unavailable(str(self._url), "all connections are in use") from error

    async def upgrade(self) -> None:
        """Migrate under a lock that outlives the migration's transaction."""
        work = asyncio.ensure_future(asyncio.to_thread(self._upgrade))
        if interruption := await to_the_end(work):
            raise interruption

    def _upgrade(self) -> None:
        engine = sa.create_engine(self._url, poolclass=sa.NullPool)
        translate_errors(engine, self._url)
        autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommit.connect() as guard:
            guard.execute(_MIGRATION_LOCK)
            with engine.begin() as connection:
                upgrade(connection)

    async def close(self) -> None:
        """Close the connections of the pool."""
        await self._engine.dispose()
