"""DBOS's own connections to the database that our tables are in."""

from sqlite3 import Connection as DriverConnection

import sqlalchemy as sa
from sqlalchemy import event

SCHEMA = "dbos"

# DBOS's threads wait for a connection, so the limit is above what they use at once.
_POOL = {"pool_size": 5, "max_overflow": 20, "pool_pre_ping": True}
# A frozen process must not hold row locks for ever.
_POSTGRES = {"options": "-c idle_in_transaction_session_timeout=60000", "connect_timeout": 10}


def address_of(database_url: str) -> sa.URL:
    """The same database, by the synchronous driver that DBOS uses."""
    url = sa.make_url(database_url)
    sqlite = url.get_backend_name() == "sqlite"
    return url.set(drivername="sqlite+pysqlite" if sqlite else "postgresql+psycopg")


def connect_engine(url: sa.URL) -> sa.Engine:
    """A pool for DBOS; nothing is opened before it is needed.

    On SQLite every commit reaches the disk, and writers wait for each other instead of
    failing. The journal mode is a property of the file, set by whoever made it.
    """
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, connect_args=_POSTGRES, **_POOL)
    engine = sa.create_engine(url, **_POOL)

    @event.listens_for(engine, "connect")
    def configure(connection: DriverConnection, record: object) -> None:
        # As DBOS does with engines of its own: its transactions count on it.
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine
