"""Reads `COFOUNDER_DATABASE_URL`, and never repeats it: it may hold a password."""

import sqlalchemy as sa

from cofounder.domain.errors import ConfigurationError

_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+aiosqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def read_address(url: str) -> sa.URL:
    """The address with the driver that is used. Raises `ConfigurationError`."""
    try:
        address = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        # Not even as the cause: these errors quote parts of what they could not read.
        raise _refused("is no database address") from None
    driver = _DRIVERS.get(address.drivername)
    if driver is None:
        raise _refused(f"names a kind of database that is not known: {address.drivername!r}")
    if address.database in (None, "", ":memory:"):
        # Reading and writing connections would each get a memory of their own.
        raise _refused("names no file or database")
    return address.set(drivername=driver)


def _refused(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"COFOUNDER_DATABASE_URL {what}.",
        cure="Write sqlite:///path/to/file.db or postgresql://user:password@host:5432/database.",
    )
