"""Rows of jobs and sessions."""

from collections.abc import Collection, Sequence
from typing import Protocol

from cofounder.domain.ids import JobId, OwnerId, SessionId
from cofounder.domain.jobs import Job
from cofounder.domain.session import Session, SessionState


class JobRows(Protocol):
    """Jobs; written once, never changed."""

    async def add(self, job: Job, *, idempotency_key: str | None, request_hash: str) -> None:
        """Keep a new job. `request_hash` tells a repeated request from another one."""
        ...

    async def get(self, job_id: JobId) -> Job | None:
        """One job."""
        ...

    async def by_idempotency_key(self, owner_id: OwnerId, key: str) -> tuple[Job, str] | None:
        """The job that was created with this key, and its request hash."""
        ...

    async def page(self, owner_id: OwnerId, *, before: JobId | None, limit: int) -> Sequence[Job]:
        """The owner's jobs, newest first, starting after the job `before`."""
        ...


class SessionRows(Protocol):
    """Sessions."""

    async def add(self, session: Session) -> None:
        """Keep a new session."""
        ...

    async def get(self, session_id: SessionId) -> Session | None:
        """One session, not locked."""
        ...

    async def lock(self, session_id: SessionId) -> Session | None:
        """One session, held until the transaction ends."""
        ...

    async def save(self, session: Session) -> None:
        """Replace the row of a session that this transaction has locked."""
        ...

    async def lock_of_owner(
        self, owner_id: OwnerId, states: Collection[SessionState]
    ) -> Sequence[Session]:
        """The owner's sessions in these states, locked, ordered by id."""
        ...

    async def in_states(self, states: Collection[SessionState]) -> Sequence[Session]:
        """Everybody's sessions in these states, not locked."""
        ...
