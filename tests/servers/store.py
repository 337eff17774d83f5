"""Migrated databases of both kinds; a test that asks for `store_url` runs on each."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from cofounder.adapters.sql import SqlStore
from tests.servers.postgres import PostgresServer

TEMPLATE = "migrated"


async def _migrate(url: str) -> None:
    store = SqlStore(url)
    await store.migrate()
    await store.close()


@pytest.fixture(scope="session")
def migrated_sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "template.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_postgres_template(postgres_server: PostgresServer) -> str:
    postgres_server.run(f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(_migrate(postgres_server.url(TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def sqlite_store_url(migrated_sqlite_file: Path, tmp_path: Path) -> str:
    """The address of a migrated SQLite file."""
    return f"sqlite:///{shutil.copy(migrated_sqlite_file, tmp_path / 'store.db')}"


@pytest.fixture
def postgres_store_url(
    migrated_postgres_template: str, new_postgres_database: Callable[[str], str]
) -> str:
    """The address of a migrated PostgreSQL database."""
    return new_postgres_database(migrated_postgres_template)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated database, of both kinds in turn."""
    return str(request.getfixturevalue(f"{request.param}_store_url"))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    """A store on both kinds of database in turn."""
    store = SqlStore(store_url)
    yield store
    await store.close()
