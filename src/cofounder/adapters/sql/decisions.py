"""Rows of escalations; only the answer is added later, once."""

from collections.abc import Sequence

import sqlalchemy as sa

from cofounder.adapters.sql import codec
from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by
from cofounder.adapters.sql.tables import escalations
from cofounder.domain.errors import Answer
from cofounder.domain.escalation import Escalation
from cofounder.domain.ids import EscalationId, JobId, OwnerId, SessionId

_ADD = sa.insert(escalations)
_GET = sa.select(escalations).where(by(escalations.c.escalation_id))
_oldest_first = sa.select(escalations).order_by(escalations.c.created_at, escalations.c.row_id)
_is_open = escalations.c.resolved_at.is_(None)
_OF_JOB = _oldest_first.where(by(escalations.c.job_id))
_OF_OWNER = _oldest_first.where(by(escalations.c.owner_id))
_OPEN_OF_OWNER = _OF_OWNER.where(_is_open)
_OPEN_OF_SESSION = _oldest_first.where(by(escalations.c.session_id), _is_open)
_RESOLVE = sa.update(escalations).where(by(escalations.c.escalation_id), _is_open)


class SqlDecisionRows:
    """Implements `ports.store.DecisionRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def add(self, escalation: Escalation) -> None:
        """Keep a new escalation."""
        await self._db.change(
            _ADD,
            escalation_id=escalation.escalation_id,
            job_id=escalation.job_id,
            session_id=escalation.session_id,
            owner_id=escalation.owner_id,
            cause=escalation.cause,
            problem=escalation.problem,
            attempts=codec.encode_list(escalation.attempts),
            options=codec.encode_list(escalation.options),
            recommended=escalation.recommended,
            created_at=escalation.created_at,
            **(vars(escalation.answer) if escalation.answer else {}),
        )

    async def get(self, escalation_id: EscalationId) -> Escalation | None:
        """One escalation."""
        row = await self._db.row(_GET, by_escalation_id=escalation_id)
        return _escalation(row) if row else None

    async def of_job(self, job_id: JobId) -> Sequence[Escalation]:
        """The job's escalations, oldest first."""
        rows = await self._db.rows(_OF_JOB, by_job_id=job_id)
        return [_escalation(row) for row in rows]

    async def of_owner(self, owner_id: OwnerId, *, only_open: bool) -> Sequence[Escalation]:
        """The owner's escalations, oldest first."""
        statement = _OPEN_OF_OWNER if only_open else _OF_OWNER
        rows = await self._db.rows(statement, by_owner_id=owner_id)
        return [_escalation(row) for row in rows]

    async def open_of_session(self, session_id: SessionId) -> Sequence[Escalation]:
        """The session's open escalations, oldest first."""
        rows = await self._db.rows(_OPEN_OF_SESSION, by_session_id=session_id)
        return [_escalation(row) for row in rows]

    async def resolve(self, escalation_id: EscalationId, answer: Answer) -> bool:
        """Answer it if it is open, by one conditional statement; False when it was not."""
        changed = await self._db.change(_RESOLVE, by_escalation_id=escalation_id, **vars(answer))
        return changed == 1


def _escalation(row: Row) -> Escalation:
    return Escalation(
        escalation_id=EscalationId(row.escalation_id),
        job_id=JobId(row.job_id),
        session_id=SessionId(row.session_id),
        owner_id=OwnerId(row.owner_id),
        cause=row.cause,
        problem=row.problem,
        attempts=codec.decode_attempts(row.attempts),
        options=codec.decode_options(row.options),
        recommended=row.recommended,
        created_at=row.created_at,
        answer=_answer(row),
    )


def _answer(row: Row) -> Answer | None:
    if row.resolved_at is None:
        return None
    return Answer(
        decision=row.decision,
        guidance=row.guidance,
        resolved_by=row.resolved_by,
        resolved_at=row.resolved_at,
    )
