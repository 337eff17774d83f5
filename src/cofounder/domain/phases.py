"""The phases of a build, as the Kanban columns show them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class PhaseStatus(StrEnum):
    """Where a phase stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"


@dataclass(frozen=True, kw_only=True)
class Phase:
    """One phase; `phase_id` is stable for a name within its job."""

    phase_id: str
    phase_name: str
    status: PhaseStatus
    started_at: datetime | None
    completed_at: datetime | None


def phase_id(phase_name: str) -> str:
    """A readable id: lower case words joined by dashes."""
    words = "".join(c if c.isalnum() else " " for c in phase_name.lower()).split()
    return "-".join(words)[:64].rstrip("-") or "phase"


def enter(phases: Sequence[Phase], phase_name: str, now: datetime) -> tuple[Phase, ...]:
    """The phases that change when the agent says that it is in `phase_name`.

    The phase under way is completed, the named one is started (again, if need be);
    nothing changes when it is under way already.
    """
    entered = phase_id(phase_name)
    under_way = [p for p in phases if p.status is PhaseStatus.IN_PROGRESS]
    if any(p.phase_id == entered for p in under_way):
        return ()
    known = next((p for p in phases if p.phase_id == entered), None)
    name = known.phase_name if known else phase_name.strip()[:120]
    started = Phase(
        phase_id=entered,
        phase_name=name,
        status=PhaseStatus.IN_PROGRESS,
        started_at=now,
        completed_at=None,
    )
    return (*(complete(p, now) for p in under_way), started)


def complete(phase: Phase, now: datetime) -> Phase:
    """The same phase, done."""
    return replace(phase, status=PhaseStatus.COMPLETED, completed_at=now)
