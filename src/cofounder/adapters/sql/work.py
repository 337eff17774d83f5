"""Rows of phases and documents."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by, insert_or_replace
from cofounder.adapters.sql.tables import documents, phases
from cofounder.domain.ids import JobId
from cofounder.domain.phases import Phase, PhaseStatus
from cofounder.ports.store import DocumentRow

_PHASES = sa.select(phases).where(by(phases.c.job_id)).order_by(phases.c.row_id)
_SAVE_PHASE = insert_or_replace(phases, ["job_id", "phase_id"])

_all_versions = sa.select(
    documents.c.name, documents.c.version, documents.c.content, documents.c.updated_at
).where(by(documents.c.job_id))
_DOCUMENT = _all_versions.where(by(documents.c.name)).order_by(documents.c.version.desc()).limit(1)
_other = documents.alias("other")
_DOCUMENTS = _all_versions.where(
    documents.c.version
    == sa.select(sa.func.max(_other.c.version))
    .where(_other.c.job_id == documents.c.job_id, _other.c.name == documents.c.name)
    .scalar_subquery()
).order_by(documents.c.name)
_PUT_DOCUMENT = (
    sa.insert(documents)
    .from_select(
        ["job_id", "name", "version", "content", "updated_at"],
        sa.select(
            sa.bindparam("in_job", type_=documents.c.job_id.type),
            sa.bindparam("named", type_=documents.c.name.type),
            sa.func.coalesce(sa.func.max(documents.c.version), 0) + 1,
            sa.bindparam("text", type_=documents.c.content.type),
            sa.bindparam("since", type_=documents.c.updated_at.type),
        ).where(
            documents.c.job_id == sa.bindparam("in_job"),
            documents.c.name == sa.bindparam("named"),
        ),
    )
    .returning(documents.c.version)
)


class SqlWorkRows:
    """Implements `ports.store.WorkRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def phases(self, job_id: JobId) -> Sequence[Phase]:
        """The job's phases, in the order in which they were first named."""
        rows = await self._db.rows(_PHASES, by_job_id=job_id)
        return [_phase(row) for row in rows]

    async def save_phases(self, job_id: JobId, phases: Sequence[Phase]) -> None:
        """Add or replace these phases; others stay as they are."""
        if not phases:
            return
        rows = [{"job_id": job_id, **vars(phase), "status": phase.status.value} for phase in phases]
        await self._db.change_many(_SAVE_PHASE, rows)

    async def put_document(self, job_id: JobId, name: str, content: str, at: datetime) -> int:
        """Keep a new version; returns its number."""
        (row,) = await self._db.rows(
            _PUT_DOCUMENT, in_job=job_id, named=name, text=content, since=at
        )
        return int(row.version)

    async def document(self, job_id: JobId, name: str) -> DocumentRow | None:
        """The newest version of one document."""
        row = await self._db.row(_DOCUMENT, by_job_id=job_id, by_name=name)
        return _document(row) if row else None

    async def documents(self, job_id: JobId) -> Sequence[DocumentRow]:
        """The newest version of each document, by name."""
        rows = await self._db.rows(_DOCUMENTS, by_job_id=job_id)
        return [_document(row) for row in rows]


def _phase(row: Row) -> Phase:
    return Phase(
        phase_id=row.phase_id,
        phase_name=row.phase_name,
        status=PhaseStatus(row.status),
        started_at=row.started_at,
        completed_at=row.completed_at,
    )


def _document(row: Row) -> DocumentRow:
    return DocumentRow(
        name=row.name, version=row.version, content=row.content, updated_at=row.updated_at
    )
