"""The bodies of requests. Unknown fields are refused, numbers and texts are not converted."""

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from cofounder.domain.jobs import BuildPlan, PlannedPhase, QuestionAndAnswer
from cofounder.services.jobs import JobRequest


def _storable(text: str) -> str:
    """Refuse what no database keeps: NUL, and halves of surrogate pairs."""
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be valid Unicode text without NUL characters")
    return text


Text: TypeAlias = Annotated[str, AfterValidator(_storable)]
Name: TypeAlias = Annotated[Text, Field(min_length=1, max_length=120, pattern=r"\S")]


class Input(BaseModel):
    """Base of all request bodies."""

    model_config = ConfigDict(extra="forbid", strict=True)


class QnaIn(Input):
    """One exchange of the understanding interview."""

    question: Text
    answer: Text


class PhaseIn(Input):
    """A phase that the plan names in advance."""

    name: Name
    description: Text = ""


class BuildPlanIn(Input):
    """How the founder wants it built."""

    summary: Text
    phases: list[PhaseIn] = []

    def plan(self) -> BuildPlan:
        """The same, as the service takes it."""
        phases = (PlannedPhase(name=p.name, description=p.description) for p in self.phases)
        return BuildPlan(summary=self.summary, phases=tuple(phases))


def _as_list(value: object) -> object:
    """`{question: answer}` becomes `[{question, answer}]`; everything else stays."""
    if not isinstance(value, dict):
        return value
    return [{"question": question, "answer": answer} for question, answer in value.items()]


def _as_plan(value: object) -> object:
    """A plan that is one text is its summary."""
    return {"summary": value} if isinstance(value, str) else value


class JobIn(Input):
    """A new job. `model` and `max_tool_calls` null mean the service's defaults."""

    idea_brief: Text
    understanding_qna: Annotated[
        list[QnaIn],
        BeforeValidator(_as_list, json_schema_input_type=list[QnaIn] | dict[str, str]),
    ] = []
    build_plan: Annotated[
        BuildPlanIn | None,
        BeforeValidator(_as_plan, json_schema_input_type=BuildPlanIn | str | None),
    ] = None
    max_tool_calls: int | None = None
    model: Name | None = None

    def request(self) -> JobRequest:
        """The same, as the service takes it."""
        return JobRequest(
            idea_brief=self.idea_brief,
            understanding_qna=tuple(
                QuestionAndAnswer(question=pair.question, answer=pair.answer)
                for pair in self.understanding_qna
            ),
            build_plan=self.build_plan.plan() if self.build_plan else None,
            max_tool_calls=self.max_tool_calls,
            model=self.model,
        )


class MessageIn(Input):
    """Something that the agent is told."""

    text: Text


class AnswerIn(Input):
    """A decision; `decision` is the id of one of the options."""

    decision: Text
    guidance: Text | None = None


class TopUpIn(Input):
    """Money for today, in micro-dollars."""

    amount_usd_micros: int


class PlanIn(Input):
    """A new plan. `renewal_day` and `time_zone` null leave the calendar as it is."""

    cycle_amount_usd_micros: int
    renewal_day: int | None
    time_zone: Text | None
