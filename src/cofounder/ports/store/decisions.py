"""Rows of escalations."""

from collections.abc import Sequence
from typing import Protocol

from cofounder.domain.errors import Answer
from cofounder.domain.escalation import Escalation
from cofounder.domain.ids import EscalationId, JobId, OwnerId, SessionId


class DecisionRows(Protocol):
    """Escalations; only the answer is added later, once."""

    async def add(self, escalation: Escalation) -> None:
        """Keep a new escalation."""
        ...

    async def get(self, escalation_id: EscalationId) -> Escalation | None:
        """One escalation."""
        ...

    async def of_job(self, job_id: JobId) -> Sequence[Escalation]:
        """The job's escalations, oldest first."""
        ...

    async def of_owner(self, owner_id: OwnerId, *, only_open: bool) -> Sequence[Escalation]:
        """The owner's escalations, oldest first."""
        ...

    async def open_of_session(self, session_id: SessionId) -> Sequence[Escalation]:
        """The session's open escalations, oldest first."""
        ...

    async def resolve(self, escalation_id: EscalationId, answer: Answer) -> bool:
        """Answer it if it is open, by one conditional statement; False when it was not."""
        ...
