"""Errors as they are sent: RFC 9457, with the project's own members."""

from pydantic import BaseModel

from cofounder.domain.errors import Answer
from cofounder.domain.events.envelope import UtcDatetime


class AnswerOut(BaseModel):
    """Who decided what, and when."""

    decision: str
    guidance: str | None
    resolved_by: str
    resolved_at: UtcDatetime

    @classmethod
    def of(cls, answer: Answer) -> "AnswerOut":
        """The same, to be sent."""
        return cls(
            decision=answer.decision,
            guidance=answer.guidance,
            resolved_by=answer.resolved_by,
            resolved_at=answer.resolved_at,
        )


class Problem(BaseModel):
    """What went wrong (`detail`), where (`field`), and what to do about it (`cure`).

    `code` is for programs. `answer` is there when somebody decided first.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None
    cure: str | None
    answer: AnswerOut | None
