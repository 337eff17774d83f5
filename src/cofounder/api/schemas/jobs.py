"""Jobs, and all that a freshly loaded page needs, as they are sent."""

from pydantic import BaseModel

from cofounder.api.schemas.budget import DayOut
from cofounder.api.schemas.escalations import EscalationOut
from cofounder.domain.events import Event
from cofounder.domain.events.envelope import UtcDatetime
from cofounder.domain.jobs import BuildPlan
from cofounder.domain.phases import Phase, PhaseStatus
from cofounder.domain.session import SessionState
from cofounder.ports.store import DocumentRow
from cofounder.services.jobs import JobView, Status


class QnaOut(BaseModel):
    """One exchange of the understanding interview."""

    question: str
    answer: str


class PlannedPhaseOut(BaseModel):
    """A phase that the plan names in advance."""

    name: str
    description: str


class BuildPlanOut(BaseModel):
    """How the founder wants it built."""

    summary: str
    phases: list[PlannedPhaseOut]

    @classmethod
    def of(cls, plan: BuildPlan) -> "BuildPlanOut":
        """The same, to be sent."""
        phases = [PlannedPhaseOut(name=p.name, description=p.description) for p in plan.phases]
        return cls(summary=plan.summary, phases=phases)


class JobOut(BaseModel):
    """A job and where it stands."""

    job_id: str
    session_id: str
    state: SessionState
    idea_brief: str
    understanding_qna: list[QnaOut]
    build_plan: BuildPlanOut | None
    model: str
    created_at: UtcDatetime
    iteration: int
    tool_calls: int
    max_tool_calls: int
    budget_pct: int
    wake_at: UtcDatetime | None
    sleep_reason: str | None
    current_phase: str | None
    problem: str | None
    open_escalations: int

    @classmethod
    def of(cls, view: JobView) -> "JobOut":
        """The same, to be sent."""
        job, session = view.job, view.session
        return cls(
            job_id=job.job_id,
            session_id=session.session_id,
            state=session.state,
            idea_brief=job.idea_brief,
            understanding_qna=[
                QnaOut(question=pair.question, answer=pair.answer) for pair in job.understanding_qna
            ],
            build_plan=BuildPlanOut.of(job.build_plan) if job.build_plan else None,
            model=job.model,
            created_at=job.created_at,
            iteration=session.iteration,
            tool_calls=session.tool_calls,
            max_tool_calls=job.max_tool_calls,
            budget_pct=session.budget_pct,
            wake_at=session.wake_at,
            sleep_reason=session.sleep_reason,
            current_phase=session.current_phase,
            problem=session.problem,
            open_escalations=view.open_escalations,
        )


class JobPage(BaseModel):
    """Jobs, newest first; `next_cursor` is null on the last page."""

    items: list[JobOut]
    next_cursor: str | None


class PhaseOut(BaseModel):
    """One phase of the build."""

    phase_id: str
    phase_name: str
    status: PhaseStatus
    started_at: UtcDatetime | None
    completed_at: UtcDatetime | None

    @classmethod
    def of(cls, phase: Phase) -> "PhaseOut":
        """The same, to be sent."""
        return cls(
            phase_id=phase.phase_id,
            phase_name=phase.phase_name,
            status=phase.status,
            started_at=phase.started_at,
            completed_at=phase.completed_at,
        )


class StatusOut(BaseModel):
    """The bootstrap: the event stream goes on after `last_seq` without a gap.

    `budget` is the owner's day, `spent_usd_micros` the job's own cost; `recent` are the
    last events, oldest first.
    """

    job_id: str
    session_id: str
    state: SessionState
    budget_pct: int
    wake_at: UtcDatetime | None
    sleep_reason: str | None
    server_time: UtcDatetime
    epoch: str
    last_seq: int
    iteration: int
    tool_calls: int
    max_tool_calls: int
    current_phase: str | None
    phases: list[PhaseOut]
    pending_escalations: list[EscalationOut]
    budget: DayOut
    spent_usd_micros: int
    idea_brief: str
    model: str
    problem: str | None
    recent: list[Event]

    @classmethod
    def of(cls, status: Status) -> "StatusOut":
        """The same, to be sent."""
        job, session = status.job, status.session
        return cls(
            job_id=job.job_id,
            session_id=session.session_id,
            state=session.state,
            budget_pct=status.budget.budget_pct,
            wake_at=session.wake_at,
            sleep_reason=session.sleep_reason,
            server_time=status.server_time,
            epoch=status.log.epoch,
            last_seq=status.log.last_seq,
            iteration=session.iteration,
            tool_calls=session.tool_calls,
            max_tool_calls=job.max_tool_calls,
            current_phase=session.current_phase,
            phases=[PhaseOut.of(phase) for phase in status.phases],
            pending_escalations=[EscalationOut.of(each) for each in status.escalations],
            budget=DayOut.of(status.budget, status.forecast),
            spent_usd_micros=status.spent_usd_micros,
            idea_brief=job.idea_brief,
            model=job.model,
            problem=session.problem,
            recent=[stored.event for stored in status.recent],
        )


class DocumentOut(BaseModel):
    """The newest version of a document, counted from 1."""

    name: str
    version: int
    content: str
    updated_at: UtcDatetime

    @classmethod
    def of(cls, document: DocumentRow) -> "DocumentOut":
        """The same, to be sent."""
        return cls(
            name=document.name,
            version=document.version,
            content=document.content,
            updated_at=document.updated_at,
        )


class DocumentList(BaseModel):
    """Documents by name."""

    items: list[DocumentOut]
