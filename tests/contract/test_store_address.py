import asyncio
import sqlite3
import traceback
from pathlib import Path

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.adapters.sql.address import read_address
from cofounder.domain.errors import CofounderError, ConfigurationError, StoreUnavailableError
from tests.contract.store_samples import a_job, add_job, log_of, turns_of_the_loop
from tests.servers.ports import free_port

pytestmark = pytest.mark.anyio

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///a.db", "sqlite+pysqlite:///a.db"),
        ("sqlite+aiosqlite:////var/a.db", "sqlite+pysqlite:////var/a.db"),
        (
            "postgresql://u:p@h:1/d?sslmode=require",
            "postgresql+psycopg://u:p@h:1/d?sslmode=require",
        ),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg:///d?host=/run", "postgresql+psycopg:///d?host=%2Frun"),
    ],
)
def test_an_address_is_read(given: str, used: str) -> None:
    assert read_address(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"mysql://u:{SECRET}@h/d",
        f"postgresql://u:{SECRET}@h:port/d",
        f"postgresql://u:p@h:{SECRET}/d",
        f"postgresql://u:{SECRET}@h",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SqlStore(url)
    assert "COFOUNDER_DATABASE_URL" in caught.value.message
    assert "sqlite:///" in caught.value.cure
    assert SECRET not in everything_said(caught.value)


def everything_said(error: CofounderError) -> str:
    return "".join([error.cure, *traceback.format_exception(error)])


async def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    port = free_port()
    store = SqlStore(f"postgresql://ada:{SECRET}@127.0.0.1:{port}/lamps")
    with pytest.raises(StoreUnavailableError) as caught:
        await store.migrate()
    assert f"127.0.0.1:{port}/lamps" in caught.value.message
    assert "COFOUNDER_DATABASE_URL" in caught.value.cure
    assert SECRET not in everything_said(caught.value)
    await store.close()


async def test_a_wrong_password_is_not_repeated(postgres_url: str) -> None:
    right = read_address(postgres_url)
    wrong = right.set(password=SECRET).set(drivername="postgresql")
    store = SqlStore(wrong.render_as_string(hide_password=False))
    with pytest.raises(StoreUnavailableError, match="password authentication failed") as caught:
        await store.migrate()
    assert SECRET not in everything_said(caught.value)
    await store.close()


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    store = SqlStore(f"sqlite:///{tmp_path}/missing/store.db")
    with pytest.raises(StoreUnavailableError, match=r"missing/store\.db") as caught:
        await store.migrate()
    assert "COFOUNDER_DATABASE_URL" in caught.value.cure
    await store.close()


async def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Buy lamps. " * 500)
    store = SqlStore(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailableError, match="not a database"):
        await store.migrate()
    await store.close()
    assert file.read_text() == "Buy lamps. " * 500


async def test_a_sqlite_file_survives_a_power_cut_and_lets_readers_go_on(
    sqlite_store_url: str,
) -> None:
    store = SqlStore(sqlite_store_url)
    names = ("journal_mode", "synchronous", "foreign_keys")
    for transaction in (store.writing, store.reading):
        async with transaction() as tx:
            settings = await tx.connection.run_sync(
                lambda sync: [sync.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]
            )
        assert settings == ["wal", 2, 1]
    await store.close()


async def test_a_writer_waits_for_another_process_and_holds_up_nobody(
    sqlite_store_url: str,
) -> None:
    path = read_address(sqlite_store_url).database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    store = SqlStore(sqlite_store_url)
    await add_job(store)
    other.execute("BEGIN IMMEDIATE")
    given_up = asyncio.create_task(add_job(store, 1))
    waiting = asyncio.create_task(add_job(store, 2))
    for _ in range(20):
        await turns_of_the_loop(1)
        assert await log_of(store) == []
    assert not waiting.done()
    given_up.cancel()
    other.execute("COMMIT")
    await waiting
    assert given_up.cancelled()
    async with store.reading() as tx:
        assert await tx.jobs.get(a_job(1).job_id) is None
        assert await tx.jobs.get(a_job(2).job_id) == a_job(2)
    other.close()
    await store.close()
