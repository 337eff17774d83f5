from contextlib import suppress

import psycopg
import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.errors import StoreUnavailableError
from tests.contract.store_samples import Ear, add_job, an_event, log_of, texts

pytestmark = pytest.mark.anyio

HANG_UP = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def hang_up(url: str) -> None:
    """The server ends all connections to the database, as when it restarts."""
    with psycopg.connect(url, autocommit=True) as server:
        ended = server.execute(HANG_UP).fetchall()
    assert ended == [(True,)] * len(ended) != []


async def test_a_connection_that_broke_while_idle_costs_nothing(postgres_store_url: str) -> None:
    store = SqlStore(postgres_store_url)
    await add_job(store)
    hang_up(postgres_store_url)
    async with store.writing() as tx:
        tx.emit(an_event("one"))
    hang_up(postgres_store_url)
    assert texts(await log_of(store)) == ["one"]
    await store.close()


async def test_a_connection_that_breaks_undoes_its_transaction(postgres_store_url: str) -> None:
    ear = Ear()
    store = SqlStore(postgres_store_url, ear)
    await add_job(store)

    async def write() -> None:
        async with store.writing() as tx:
            tx.emit(an_event("never"))
            await tx.events.head(an_event().job_id)
            hang_up(postgres_store_url)

    with pytest.raises(StoreUnavailableError):
        await write()
    async with store.writing() as tx:
        tx.emit(an_event("after"))
    assert texts(await log_of(store)) == texts(ear.heard) == ["after"]
    await store.close()


async def test_a_store_that_was_closed_can_be_closed_again(store: SqlStore) -> None:
    await add_job(store)
    with suppress(LookupError):
        async with store.reading():
            raise LookupError
    await store.close()
    await store.close()
