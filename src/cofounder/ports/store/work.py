"""Rows of phases, documents and events."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cofounder.domain.events import Event
from cofounder.domain.ids import JobId
from cofounder.domain.phases import Phase


@dataclass(frozen=True, kw_only=True)
class DocumentRow:
    """The newest version of a document; versions count from 1."""

    name: str
    version: int
    content: str
    updated_at: datetime


class WorkRows(Protocol):
    """Phases and documents."""

    async def phases(self, job_id: JobId) -> Sequence[Phase]:
        """The job's phases, in the order in which they were first named."""
        ...

    async def save_phases(self, job_id: JobId, phases: Sequence[Phase]) -> None:
        """Add or replace these phases; others stay as they are."""
        ...

    async def put_document(self, job_id: JobId, name: str, content: str, at: datetime) -> int:
        """Keep a new version; returns its number."""
        ...

    async def document(self, job_id: JobId, name: str) -> DocumentRow | None:
        """The newest version of one document."""
        ...

    async def documents(self, job_id: JobId) -> Sequence[DocumentRow]:
        """The newest version of each document, by name."""
        ...


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """A committed event; `data` is its JSON as published and streamed."""

    event: Event
    data: bytes


@dataclass(frozen=True, kw_only=True)
class LogHead:
    """Where a job's log stands: `seq` counts from 1, 0 means empty."""

    epoch: str
    last_seq: int


class EventRows(Protocol):
    """The event log: gapless `seq` per job."""

    async def head(self, job_id: JobId) -> LogHead | None:
        """Identity and end of the job's log."""
        ...

    async def after(
        self, job_id: JobId, seq: int, *, limit: int, types: Sequence[str] = ()
    ) -> Sequence[StoredEvent]:
        """Events later than `seq`, oldest first; `types` narrows them down."""
        ...

    async def newest(self, job_id: JobId, *, limit: int) -> Sequence[StoredEvent]:
        """The last events, oldest first."""
        ...
