import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import cofounder.adapters.sql
from cofounder.adapters.sql import SqlStore
from cofounder.adapters.sql.address import read_address
from cofounder.adapters.sql.schema import HEAD, VERSION_TABLE
from cofounder.adapters.sql.sqlite import switch_to_wal
from cofounder.adapters.sql.tables import PREFIX, metadata
from cofounder.domain.errors import ConfigurationError
from tests.contract.store_samples import add_job, log_of

pytestmark = pytest.mark.anyio

MIGRATIONS = Path(cofounder.adapters.sql.__file__).parent / "migrations"
MIGRATE = """
import asyncio, sys
from cofounder.adapters.sql import SqlStore

async def main():
    store = SqlStore(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    await store.migrate()
    await store.close()
    print("alembic" in sys.modules, flush=True)

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgres"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(read_address(store_url))
    yield engine
    engine.dispose()


def migrate_at_once(url: str, *, processes: int) -> list[tuple[str, str, int]]:
    """Output, errors and exit code of processes that wait for each other before they migrate."""
    command, pipe = [sys.executable, "-c", MIGRATE, url], subprocess.PIPE
    started = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    return [(*process.communicate(timeout=60), process.returncode) for process in started]


def test_processes_that_start_at_once_all_succeed(empty_url: str) -> None:
    ends = migrate_at_once(empty_url, processes=4)
    assert [(errors, code) for _, errors, code in ends] == [("", 0)] * 4


async def test_stores_of_one_process_all_succeed(empty_url: str) -> None:
    stores = [SqlStore(empty_url) for _ in range(4)]
    await asyncio.gather(*(store.migrate() for store in stores))
    await add_job(stores[3])
    for store in stores:
        assert await log_of(store) == []
        await store.close()


def test_many_can_open_a_new_file_at_once(tmp_path: Path) -> None:
    """Each wants to switch its journal, which SQLite grants to one and refuses to the others."""
    together = Barrier(8, timeout=10)

    def open_all() -> None:
        for number in range(100):
            connection = sqlite3.connect(
                tmp_path / f"{number}.db", isolation_level=None, timeout=30
            )
            together.wait()
            switch_to_wal(connection)
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            together.wait()
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        for opened in [threads.submit(open_all) for _ in range(8)]:
            opened.result()


def test_nothing_to_do_is_found_out_without_alembic(store_url: str) -> None:
    assert migrate_at_once(store_url, processes=1) == [("False\n", "", 0)]


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [HEAD]
    assert len(list(scripts.walk_revisions())) == len(list(MIGRATIONS.glob("versions/v*.py")))


def test_the_migrations_make_the_tables(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": VERSION_TABLE, "compare_server_default": True},
        )
        assert compare_metadata(context, metadata) == []


SQLITE_SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
POSTGRES_SCHEMA = """
SELECT 'column', table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable,
    column_default, ordinal_position) FROM information_schema.columns
    WHERE table_schema = 'public'
UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""


def test_the_tables_are_made_to_the_letter(engine: sa.Engine, empty_twin: sa.Engine) -> None:
    """Conditions of indexes, deferred keys and the like, which alembic does not compare."""
    metadata.create_all(empty_twin)
    migrated = schema(engine)
    assert migrated == schema(empty_twin)
    assert len(migrated) > len(metadata.tables)


@pytest.fixture
def empty_twin(
    store_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[sa.Engine]:
    """A new database of the same kind."""
    sqlite = store_url.startswith("sqlite")
    twin = f"sqlite:///{tmp_path}/twin.db" if sqlite else request.getfixturevalue("postgres_url")
    engine = sa.create_engine(read_address(twin))
    yield engine
    engine.dispose()


def schema(engine: sa.Engine) -> dict[tuple[str, str], str]:
    query = SQLITE_SCHEMA if engine.dialect.name == "sqlite" else POSTGRES_SCHEMA
    with engine.connect() as connection:
        rows = connection.execute(sa.text(query)).all()
    return {
        (kind, name): " ".join(text.split())
        for kind, name, text in rows
        if VERSION_TABLE not in text and VERSION_TABLE not in name
    }


async def test_tables_of_others_are_left_alone(empty_url: str) -> None:
    engine = sa.create_engine(read_address(empty_url))
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE workflow_status (id INTEGER)"))
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
    store = SqlStore(empty_url)
    await store.migrate()
    await store.close()
    names = set(sa.inspect(engine).get_table_names())
    engine.dispose()
    assert names >= {"workflow_status", "alembic_version"}
    ours = {name for name in names if name.startswith(PREFIX)}
    assert ours == {*metadata.tables, VERSION_TABLE}


async def test_a_database_of_a_later_version_is_refused(store: SqlStore, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="later version"):
        await store.migrate()
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'"))
    await store.migrate()
    await add_job(store)
