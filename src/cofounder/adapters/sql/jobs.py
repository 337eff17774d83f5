"""Rows of jobs."""

from collections.abc import Sequence

import sqlalchemy as sa

from cofounder.adapters.sql import codec
from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by
from cofounder.adapters.sql.tables import jobs
from cofounder.domain.ids import JobId, OwnerId, SessionId
from cofounder.domain.jobs import Job

_ADD = sa.insert(jobs)
_GET = sa.select(jobs).where(by(jobs.c.job_id))
_BY_KEY = sa.select(jobs).where(by(jobs.c.owner_id), by(jobs.c.idempotency_key))
_NEWEST = (
    sa.select(jobs)
    .where(by(jobs.c.owner_id))
    .order_by(jobs.c.created_at.desc(), jobs.c.job_id.desc())
    .limit(sa.bindparam("most"))
)
_last = jobs.alias("last")
_OLDER = _NEWEST.join(_last, by(_last.c.job_id)).where(
    sa.tuple_(jobs.c.created_at, jobs.c.job_id) < sa.tuple_(_last.c.created_at, _last.c.job_id)
)


class SqlJobRows:
    """Implements `ports.store.JobRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def add(self, job: Job, *, idempotency_key: str | None, request_hash: str) -> None:
        """Keep a new job. `ConflictError` when its owner used the key before."""
        await self._db.change(
            _ADD,
            job_id=job.job_id,
            last_seq=0,
            epoch=job.epoch,
            session_id=job.session_id,
            owner_id=job.owner_id,
            created_at=job.created_at,
            model=job.model,
            max_tool_calls=job.max_tool_calls,
            idempotency_key=idempotency_key,
            request_hash=request_hash,
            idea_brief=job.idea_brief,
            understanding_qna=codec.encode_list(job.understanding_qna),
            build_plan=codec.encode_plan(job.build_plan) if job.build_plan else None,
        )

    async def get(self, job_id: JobId) -> Job | None:
        """One job."""
        row = await self._db.row(_GET, by_job_id=job_id)
        return _job(row) if row else None

    async def by_idempotency_key(self, owner_id: OwnerId, key: str) -> tuple[Job, str] | None:
        """The job that was created with this key, and its request hash."""
        row = await self._db.row(_BY_KEY, by_owner_id=owner_id, by_idempotency_key=key)
        return (_job(row), row.request_hash) if row else None

    async def page(self, owner_id: OwnerId, *, before: JobId | None, limit: int) -> Sequence[Job]:
        """The owner's jobs, newest first, starting after the job `before`."""
        if before is None:
            rows = await self._db.rows(_NEWEST, by_owner_id=owner_id, most=limit)
        else:
            rows = await self._db.rows(_OLDER, by_owner_id=owner_id, by_job_id=before, most=limit)
        return [_job(row) for row in rows]


def _job(row: Row) -> Job:
    return Job(
        job_id=JobId(row.job_id),
        session_id=SessionId(row.session_id),
        owner_id=OwnerId(row.owner_id),
        epoch=row.epoch,
        idea_brief=row.idea_brief,
        understanding_qna=codec.decode_answers(row.understanding_qna),
        build_plan=codec.decode_plan(row.build_plan) if row.build_plan else None,
        model=row.model,
        max_tool_calls=row.max_tool_calls,
        created_at=row.created_at,
    )
