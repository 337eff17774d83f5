"""The event log as it is read; `outbox` writes it."""

from collections.abc import Sequence

import sqlalchemy as sa

from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by
from cofounder.adapters.sql.tables import events, jobs
from cofounder.domain.events import decode_event
from cofounder.domain.ids import JobId
from cofounder.ports.store import LogHead, StoredEvent

_HEAD = sa.select(jobs.c.epoch, jobs.c.last_seq).where(by(jobs.c.job_id))
_of_job = sa.select(events.c.data).where(by(events.c.job_id)).limit(sa.bindparam("most"))
_AFTER = _of_job.where(events.c.seq > sa.bindparam("after")).order_by(events.c.seq)
_AFTER_OF_TYPES = _AFTER.where(events.c.type.in_(sa.bindparam("types", expanding=True)))
_NEWEST = _of_job.order_by(events.c.seq.desc())


class SqlEventRows:
    """Implements `ports.store.EventRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def head(self, job_id: JobId) -> LogHead | None:
        """Identity and end of the job's log."""
        row = await self._db.row(_HEAD, by_job_id=job_id)
        return LogHead(epoch=row.epoch, last_seq=row.last_seq) if row else None

    async def after(
        self, job_id: JobId, seq: int, *, limit: int, types: Sequence[str] = ()
    ) -> Sequence[StoredEvent]:
        """Events later than `seq`, oldest first; `types` narrows them down."""
        if types:
            rows = await self._db.rows(
                _AFTER_OF_TYPES, by_job_id=job_id, after=seq, most=limit, types=list(types)
            )
        else:
            rows = await self._db.rows(_AFTER, by_job_id=job_id, after=seq, most=limit)
        return [_stored(row) for row in rows]

    async def newest(self, job_id: JobId, *, limit: int) -> Sequence[StoredEvent]:
        """The last events, oldest first."""
        rows = await self._db.rows(_NEWEST, by_job_id=job_id, most=limit)
        return [_stored(row) for row in reversed(rows)]


def _stored(row: Row) -> StoredEvent:
    return StoredEvent(event=decode_event(row.data), data=row.data.encode())
