import asyncio
from collections.abc import Sequence
from contextlib import suppress

import anyio.lowlevel
import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.errors import NotFoundError
from cofounder.domain.events import decode_event, encode_event
from cofounder.domain.events.agent import Completed
from cofounder.domain.ids import JobId
from cofounder.ports.store import LogHead, StoredEvent
from tests.contract.store_samples import (
    JOB_ID,
    NOW,
    SESSION_ID,
    Ear,
    a_job,
    add_job,
    an_event,
    log_of,
    texts,
)

pytestmark = pytest.mark.anyio

WRITERS, ROUNDS = 8, 20


@pytest.fixture(autouse=True)
async def _session(store: SqlStore) -> None:
    await add_job(store)
    await add_job(store, 1)


async def tell(store: SqlStore, *words: str, job_id: JobId = JOB_ID) -> None:
    async with store.writing() as tx:
        for word in words:
            tx.emit(an_event(word, job_id=job_id))


async def test_an_event_gets_its_number_and_epoch_at_the_commit(store: SqlStore) -> None:
    await tell(store, "one", "two")
    await tell(store, "three")
    log = await log_of(store)
    assert texts(log) == ["one", "two", "three"]
    assert [stored.event.seq for stored in log] == [1, 2, 3]
    assert {stored.event.epoch for stored in log} == {a_job().epoch}
    for stored in log:
        assert decode_event(stored.data) == stored.event
        assert encode_event(stored.event) == stored.data


async def test_each_job_has_its_own_numbers(store: SqlStore) -> None:
    other = a_job(1).job_id
    async with store.writing() as tx:
        for job_id in (other, JOB_ID, other):
            tx.emit(an_event(job_id=job_id))
    async with store.reading() as tx:
        assert await tx.events.head(JOB_ID) == LogHead(epoch="epoch", last_seq=1)
        assert await tx.events.head(other) == LogHead(epoch="epoch_1", last_seq=2)
        assert await tx.events.head(JobId("job_unknown")) is None


async def test_a_log_is_read_from_either_end(store: SqlStore) -> None:
    await tell(store, *"abcde")
    async with store.writing() as tx:
        tx.emit(Completed(at=NOW, job_id=JOB_ID, session_id=SESSION_ID, message="done"))
    async with store.reading() as tx:
        after, newest = tx.events.after, tx.events.newest
        assert texts(await after(JOB_ID, 1, limit=3)) == ["b", "c", "d"]
        assert texts(await after(JOB_ID, 2, limit=9, types=["agent.narrated"])) == ["c", "d", "e"]
        (last,) = await after(JOB_ID, 0, limit=9, types=["agent.completed", "agent.failed"])
        assert (last.event.seq, last.event.type) == (6, "agent.completed")
        assert await after(JOB_ID, 6, limit=9) == []
        assert [stored.event.seq for stored in await newest(JOB_ID, limit=3)] == [4, 5, 6]
        assert await newest(a_job(1).job_id, limit=3) == []


async def test_an_event_of_no_job_undoes_the_transaction(store: SqlStore) -> None:
    async def write() -> None:
        async with store.writing() as tx:
            await tx.work.put_document(JOB_ID, "plan", "text", NOW)
            tx.emit(an_event(job_id=JobId("job_unknown")))

    with pytest.raises(NotFoundError, match="job_unknown"):
        await write()
    async with store.reading() as tx:
        assert await tx.work.documents(JOB_ID) == []


async def test_the_listener_hears_what_is_committed_in_the_order_of_emission(
    store: SqlStore, store_url: str
) -> None:
    ear = Ear()
    telling = SqlStore(store_url, ear)
    async with telling.writing() as tx:
        tx.emit(an_event("one"))
        tx.emit(an_event("two", job_id=a_job(1).job_id))
        tx.emit(an_event("three"))
        assert ear.heard == []
    assert texts(ear.heard) == ["one", "two", "three"]
    assert [stored.event.seq for stored in ear.heard] == [1, 1, 2]
    assert ear.heard[::2] == await log_of(store)
    await telling.close()


async def test_a_rollback_is_not_told_and_takes_no_number(store: SqlStore, store_url: str) -> None:
    ear = Ear()
    telling = SqlStore(store_url, ear)
    await tell(telling, "one")
    with suppress(LookupError):
        async with telling.writing() as tx:
            tx.emit(an_event("never"))
            raise LookupError
    async with telling.reading() as tx:
        tx.emit(an_event("never"))
    await tell(telling, "two")
    assert texts(ear.heard) == texts(await log_of(store)) == ["one", "two"]
    assert [stored.event.seq for stored in ear.heard] == [1, 2]
    await telling.close()


async def test_a_listener_that_fails_cannot_undo_a_commit(store: SqlStore, store_url: str) -> None:
    class Broken:
        def committed(self, events: Sequence[StoredEvent]) -> None:
            raise LookupError

    telling = SqlStore(store_url, Broken())
    await tell(telling, "one")
    await tell(telling, "two")
    assert texts(await log_of(store)) == ["one", "two"]
    await telling.close()


async def test_numbers_have_no_gap_and_follow_the_commits(store: SqlStore, store_url: str) -> None:
    """Eight writers, two processes' worth of stores, and a reader that never looks back."""
    ear = Ear()
    telling, other = SqlStore(store_url, ear), SqlStore(store_url)

    async def write(writer: int) -> None:
        for number in range(ROUNDS):
            with suppress(LookupError):
                async with (telling, other)[writer % 2].writing() as tx:
                    tx.emit(an_event(f"{writer} {number}"))
                    await tx.events.head(JOB_ID)
                    tx.emit(an_event(f"{writer} {number} again"))
                    if number % 5 == 4:
                        raise LookupError

    async def follow() -> list[StoredEvent]:
        seen: list[StoredEvent] = []
        while not writers.done() or len(seen) < expected:
            async with store.reading() as tx:
                seen += await tx.events.after(JOB_ID, len(seen), limit=7)
            assert [stored.event.seq for stored in seen] == list(range(1, len(seen) + 1))
            await anyio.lowlevel.checkpoint()
        return seen

    expected = WRITERS * ROUNDS * 2 * 4 // 5
    async with asyncio.timeout(60):
        writers = asyncio.gather(*(write(writer) for writer in range(WRITERS)))
        seen = await follow()
        await writers
    assert len(seen) == expected
    assert seen == await log_of(store)
    own = [stored for stored in seen if int(texts([stored])[0].split()[0]) % 2 == 0]
    assert ear.heard == own
    await telling.close()
    await other.close()
