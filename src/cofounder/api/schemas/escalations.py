"""Decisions as they are sent."""

from pydantic import BaseModel

from cofounder.api.schemas.problems import AnswerOut
from cofounder.domain.escalation import Escalation
from cofounder.domain.events.envelope import UtcDatetime


class OptionOut(BaseModel):
    """One way out that is offered."""

    id: str
    label: str
    description: str
    reversible: bool


class AttemptOut(BaseModel):
    """What was really tried, and what came of it."""

    approach: str
    result: str
    at: UtcDatetime


class EscalationOut(BaseModel):
    """A question to the founder; `recommended` is an option's id, `answer` null while open."""

    escalation_id: str
    job_id: str
    session_id: str
    problem: str
    attempts: list[AttemptOut]
    options: list[OptionOut]
    recommended: str
    created_at: UtcDatetime
    answer: AnswerOut | None

    @classmethod
    def of(cls, escalation: Escalation) -> "EscalationOut":
        """The same, to be sent."""
        return cls(
            escalation_id=escalation.escalation_id,
            job_id=escalation.job_id,
            session_id=escalation.session_id,
            problem=escalation.problem,
            attempts=[
                AttemptOut(approach=tried.approach, result=tried.result, at=tried.at)
                for tried in escalation.attempts
            ],
            options=[
                OptionOut(
                    id=option.id,
                    label=option.label,
                    description=option.description,
                    reversible=option.reversible,
                )
                for option in escalation.options
            ],
            recommended=escalation.recommended,
            created_at=escalation.created_at,
            answer=AnswerOut.of(escalation.answer) if escalation.answer else None,
        )


class EscalationList(BaseModel):
    """Decisions, oldest first."""

    items: list[EscalationOut]
