"""What the founder asked for."""

from dataclasses import dataclass
from datetime import datetime

from cofounder.domain.ids import JobId, OwnerId, SessionId


@dataclass(frozen=True, kw_only=True)
class QuestionAndAnswer:
    """One exchange of the understanding interview."""

    question: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class PlannedPhase:
    """A phase that the plan names in advance."""

    name: str
    description: str


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """How the founder wants it built."""

    summary: str
    phases: tuple[PlannedPhase, ...]


@dataclass(frozen=True, kw_only=True)
class Job:
    """Build this. `epoch` is the identity of the job's event log."""

    job_id: JobId
    session_id: SessionId
    owner_id: OwnerId
    epoch: str
    idea_brief: str
    understanding_qna: tuple[QuestionAndAnswer, ...]
    build_plan: BuildPlan | None
    model: str
    max_tool_calls: int
    created_at: datetime
