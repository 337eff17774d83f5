import asyncio
from contextlib import suppress
from dataclasses import replace

import pytest
import sqlalchemy as sa

from cofounder.adapters.sql import SqlStore
from cofounder.domain.errors import ConflictError
from cofounder.ports.store import Transaction
from tests.contract.store_samples import (
    JOB_ID,
    NOW,
    SESSION_ID,
    Ear,
    a_job,
    a_message,
    a_session,
    add_job,
    an_event,
    log_of,
    texts,
    turns_of_the_loop,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _session(store: SqlStore) -> None:
    await add_job(store)


async def write_everywhere(tx: Transaction) -> None:
    await tx.jobs.add(a_job(1), idempotency_key=None, request_hash="hash")
    await tx.conversation.append(SESSION_ID, 0, a_message())
    await tx.work.put_document(JOB_ID, "plan", "text", NOW)
    tx.emit(an_event("never"))


async def assert_untouched(store: SqlStore) -> None:
    async with store.reading() as tx:
        assert await tx.jobs.get(a_job(1).job_id) is None
        assert await tx.conversation.messages(SESSION_ID) == []
        assert await tx.work.documents(JOB_ID) == []
    assert await log_of(store) == []


async def assert_usable(store: SqlStore) -> None:
    """Every connection that a failure may have left behind is in order."""
    for number in range(12):
        async with store.writing() as tx:
            tx.emit(an_event(str(number)))
    assert texts(await log_of(store)) == [str(number) for number in range(12)]


async def test_an_error_leaves_no_trace_and_comes_through(store: SqlStore) -> None:
    error = LookupError("mine")

    async def work() -> None:
        async with store.writing() as tx:
            await write_everywhere(tx)
            raise error

    with pytest.raises(LookupError) as caught:
        await work()
    assert caught.value is error
    await assert_untouched(store)
    await assert_usable(store)


async def test_an_error_of_a_statement_leaves_no_trace(store: SqlStore) -> None:
    async def work() -> None:
        async with store.writing() as tx:
            await write_everywhere(tx)
            await tx.sessions.add(a_session())

    with pytest.raises(ConflictError):
        await work()
    await assert_untouched(store)
    await assert_usable(store)


async def test_an_error_at_the_commit_leaves_no_trace(store: SqlStore) -> None:
    async def work() -> None:
        async with store.writing() as tx:
            await write_everywhere(tx)
            await tx.sessions.add(a_session(2))

    with pytest.raises(ConflictError):
        await work()
    await assert_untouched(store)
    await assert_usable(store)


async def test_a_cancellation_leaves_no_trace(store: SqlStore) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with store.writing() as tx:
            await write_everywhere(tx)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await assert_untouched(store)
    await assert_usable(store)


async def test_a_cancellation_at_any_moment_is_all_or_nothing(
    store: SqlStore, store_url: str
) -> None:
    """What is in the log was told, what is not was not, whenever the task was cancelled."""
    ear = Ear()
    telling = SqlStore(store_url, ear)

    async def work(number: int) -> None:
        async with telling.writing() as tx:
            await tx.work.put_document(JOB_ID, "plan", str(number), NOW)
            tx.emit(an_event(str(number)))

    for number in range(80):
        task = asyncio.create_task(work(number))
        await turns_of_the_loop(number**2 // 8)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    assert ear.heard == await log_of(store)
    async with store.reading() as tx:
        document = await tx.work.document(JOB_ID, "plan")
    assert (document.version if document else 0) == len(ear.heard)
    await telling.close()


async def test_a_waiting_writer_can_be_cancelled(store: SqlStore) -> None:
    async def work() -> None:
        async with store.writing() as tx:
            await tx.sessions.lock(SESSION_ID)
            tx.emit(an_event("never"))

    async with store.writing() as tx:
        await tx.sessions.lock(SESSION_ID)
        waiting = [asyncio.create_task(work()) for _ in range(3)]
        await turns_of_the_loop(20)
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    assert await log_of(store) == []
    await assert_usable(store)


async def test_writers_of_one_session_take_turns(store: SqlStore, store_url: str) -> None:
    other = SqlStore(store_url)

    async def count(store: SqlStore) -> None:
        async with store.writing() as tx:
            session = await tx.sessions.lock(SESSION_ID)
            assert session is not None
            await tx.sessions.save(replace(session, iteration=session.iteration + 1))

    await asyncio.gather(*(count((store, other)[number % 2]) for number in range(160)))
    async with store.reading() as tx:
        session = await tx.sessions.get(SESSION_ID)
    assert session is not None
    assert session.iteration == 160
    await other.close()


async def test_a_reader_sees_one_state(store: SqlStore) -> None:
    async with store.reading() as before:
        assert await before.events.head(JOB_ID) is not None
        async with store.writing() as tx:
            await tx.conversation.append(SESSION_ID, 0, a_message())
            tx.emit(an_event())
        assert await before.conversation.messages(SESSION_ID) == []
        assert await before.events.newest(JOB_ID, limit=1) == []
    async with store.reading() as after:
        assert len(await after.conversation.messages(SESSION_ID)) == 1


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"):
        async with store.reading() as tx:
            await tx.conversation.append(SESSION_ID, 0, a_message())
    await assert_untouched(store)
    await assert_usable(store)


async def test_nobody_sees_what_is_not_committed(store: SqlStore) -> None:
    async with store.writing() as tx:
        await write_everywhere(tx)
        await assert_untouched(store)


async def test_the_plain_connection_writes_in_the_same_transaction(store: SqlStore) -> None:
    def insert(connection: sa.Connection) -> int:
        connection.execute(sa.text("UPDATE cofounder_jobs SET model = 'other'"))
        return 7

    with suppress(LookupError):
        async with store.writing() as tx:
            assert await tx.connection.run_sync(insert) == 7
            raise LookupError
    async with store.reading() as tx:
        assert await tx.jobs.get(JOB_ID) == a_job()
    async with store.writing() as tx:
        await tx.connection.run_sync(insert)
    async with store.reading() as tx:
        assert await tx.jobs.get(JOB_ID) == replace(a_job(), model="other")
