"""Events of a transaction on their way into the log."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

import sqlalchemy as sa

from cofounder.adapters.sql.connection import Connection
from cofounder.adapters.sql.statements import by
from cofounder.adapters.sql.tables import events, jobs
from cofounder.domain.errors import NotFoundError
from cofounder.domain.events import Event, encode_event
from cofounder.domain.ids import JobId
from cofounder.ports.store import StoredEvent

_NUMBER = (
    sa.update(jobs)
    .where(by(jobs.c.job_id))
    .values(last_seq=jobs.c.last_seq + sa.bindparam("more"))
    .returning(jobs.c.last_seq, jobs.c.epoch)
)
_ADD = sa.insert(events)


class Outbox:
    """Collects events; numbers and writes them at the end of the transaction.

    Numbering locks the job's row until the commit, so that `seq` has no gap and its order
    is the order of commits.
    """

    def __init__(self) -> None:
        """Empty at the beginning of the transaction."""
        self._events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Add the event."""
        self._events.append(event)

    @property
    def job_ids(self) -> Collection[JobId]:
        """Whose logs grow."""
        return {event.job_id for event in self._events}

    async def write(self, connection: Connection) -> list[StoredEvent]:
        """The events as written, in the order in which they were emitted."""
        if not self._events:
            return []
        numbers = await self._number(connection)
        stored = []
        for event in self._events:
            seq, epoch = numbers[event.job_id]
            numbers[event.job_id] = (seq + 1, epoch)
            numbered = event.model_copy(update={"seq": seq, "epoch": epoch})
            stored.append(StoredEvent(event=numbered, data=encode_event(numbered)))
        await connection.change_many(_ADD, [_values(entry) for entry in stored])
        return stored

    async def _number(self, connection: Connection) -> dict[JobId, tuple[int, str]]:
        """The first free `seq` and the epoch of each job; jobs are locked in one order."""
        numbers = {}
        for job_id, more in sorted(Counter(event.job_id for event in self._events).items()):
            row = await connection.row(_NUMBER, by_job_id=job_id, more=more)
            if row is None:
                raise NotFoundError(f"There is no job {job_id}.")
            numbers[job_id] = (row.last_seq - more + 1, row.epoch)
        return numbers


class CommitOrder:
    """Lets the commits of this process that touch one job happen one after the other.

    The database orders them too, but its answers may overtake each other on their way
    back, and then the listener would be told in another order.
    """

    def __init__(self) -> None:
        """Keeps a lock for as long as somebody holds it or waits for it."""
        self._locks: WeakValueDictionary[JobId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, job_ids: Collection[JobId]) -> AsyncIterator[None]:
        """Hold the jobs, in one order everywhere."""
        async with AsyncExitStack() as stack:
            for job_id in sorted(job_ids):
                lock = self._locks.setdefault(job_id, asyncio.Lock())
                await stack.enter_async_context(lock)
            yield


def _values(stored: StoredEvent) -> dict[str, object]:
    event = stored.event
    return {
        "job_id": event.job_id,
        "seq": event.seq,
        "type": event.type,
        "data": stored.data.decode(),
    }
