"""A decision that only a person can make, and its answer."""

from dataclasses import dataclass
from datetime import datetime

from cofounder.domain.errors import AlreadyResolvedError, Answer, InvalidInputError
from cofounder.domain.ids import EscalationId, JobId, OwnerId, SessionId

MAX_OPEN = 3

# The one option whose choice ends the job instead of informing the agent.
STOP_JOB = "stop_job"


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way out that is offered."""

    id: str
    label: str
    description: str
    reversible: bool


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What was really tried, and what really came of it."""

    approach: str
    result: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Escalation:
    """A question to the founder. `cause` is the fingerprint: one cause, one escalation.

    `recommended` is the id of one of `options`. `answer` is None while it is open.
    """

    escalation_id: EscalationId
    job_id: JobId
    session_id: SessionId
    owner_id: OwnerId
    cause: str
    problem: str
    attempts: tuple[Attempt, ...]
    options: tuple[Option, ...]
    recommended: str
    created_at: datetime
    answer: Answer | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits for a person."""
        return self.answer is None

    def check_answer(self, decision: str) -> None:
        """Raise when it was answered before, or when `decision` was never offered."""
        if self.answer is not None:
            raise AlreadyResolvedError(
                f"{self.answer.resolved_by} answered this already: {self.answer.decision}.",
                answer=self.answer,
            )
        if decision not in {option.id for option in self.options}:
            offered = ", ".join(option.id for option in self.options)
            raise InvalidInputError(
                f"There is no option {decision!r}.",
                field="decision",
                cure=f"Choose one of: {offered}.",
            )


def answer_text(escalation: Escalation, answer: Answer) -> str:
    """What the agent reads when its question was answered."""
    label = next((o.label for o in escalation.options if o.id == answer.decision), answer.decision)
    lines = [
        f"The founder answered your question ({escalation.escalation_id}).",
        f"Question: {escalation.problem}",
        f"Decision: {answer.decision} ({label})",
    ]
    if answer.guidance:
        lines.append(f"Guidance: {answer.guidance}")
    return "\n".join([*lines, "Act on it now."])
