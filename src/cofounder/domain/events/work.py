"""Events of the work itself: phases, documents, pictures."""

from typing import Literal

from cofounder.domain.events.envelope import Envelope, UtcDatetime
from cofounder.domain.phases import PhaseStatus


class PhaseStarted(Envelope):
    """A phase is under way."""

    type: Literal["gsd.phase.started"] = "gsd.phase.started"
    phase_id: str
    phase_name: str
    status: PhaseStatus
    started_at: UtcDatetime


class PhaseCompleted(Envelope):
    """A phase is done."""

    type: Literal["gsd.phase.completed"] = "gsd.phase.completed"
    phase_id: str
    phase_name: str
    status: PhaseStatus
    started_at: UtcDatetime | None
    completed_at: UtcDatetime


class DocumentUpdated(Envelope):
    """A document has a new version, counted from 1."""

    type: Literal["document.updated"] = "document.updated"
    name: str
    version: int


class SnapshotUpdated(Envelope):
    """A picture was taken; `path` is relative to the workspace."""

    type: Literal["snapshot.updated"] = "snapshot.updated"
    path: str
