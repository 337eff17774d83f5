import asyncio

import psycopg
import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.adapters.sql.connection import to_the_end
from tests.contract.store_samples import Ear, add_job, an_event, log_of, turns_of_the_loop

pytestmark = pytest.mark.anyio

SLOW_COMMIT = """
CREATE FUNCTION wait_for_key() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON cofounder_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_key();
"""
IS_WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def test_a_commit_that_has_begun_is_not_cut_off(postgres_store_url: str) -> None:
    """SQLite's is cut off by nobody: it happens in a thread."""
    ear = Ear()
    telling = SqlStore(postgres_store_url, ear)
    await add_job(telling)

    async def work() -> None:
        async with telling.writing() as tx:
            tx.emit(an_event())

    server = await psycopg.AsyncConnection.connect(postgres_store_url, autocommit=True)
    async with server, asyncio.timeout(30):
        await server.execute(SLOW_COMMIT)
        await server.execute("SELECT pg_advisory_lock(1)")
        task = asyncio.create_task(work())
        while await (await server.execute(IS_WAITING)).fetchone() != (1,):
            assert not task.done()
        task.cancel()
        await turns_of_the_loop(20)
        assert not task.done()
        await server.execute("SELECT pg_advisory_unlock(1)")
        with pytest.raises(asyncio.CancelledError):
            await task
    assert ear.heard == await log_of(telling) != []
    await telling.close()


async def test_what_must_end_is_awaited_through_many_cancellations() -> None:
    loop = asyncio.get_running_loop()
    work: asyncio.Future[None] = loop.create_future()
    waiting = asyncio.create_task(to_the_end(work))
    for _ in range(3):
        await turns_of_the_loop(2)
        waiting.cancel()
    await turns_of_the_loop(2)
    assert not waiting.done()
    work.set_result(None)
    assert isinstance(await waiting, asyncio.CancelledError)
