"""Ask for a decision that is the founder's."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cofounder.agent.tools.base import Question, Replay, ToolContext, ToolInput, ToolOutcome
from cofounder.domain.escalation import STOP_JOB, Option
from cofounder.domain.failures import fingerprint
from cofounder.domain.ids import EscalationId


class OptionInput(BaseModel):
    """One way out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$", description="Short id.")
    label: str = Field(min_length=1, max_length=120)
    description: str = Field(min_length=1, max_length=1000, description="Pros, cons and cost.")
    reversible: bool = Field(default=True, description="Whether it can be undone later.")


class TriedInput(BaseModel):
    """Something that was really tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    approach: str = Field(min_length=1, max_length=1000)
    result: str = Field(min_length=1, max_length=1000)


class AskFounderInput(ToolInput):
    """A question that can be answered without knowing the code."""

    problem: str = Field(min_length=1, max_length=2000, description="In plain words.")
    tried: tuple[TriedInput, ...] = Field(default=(), max_length=10)
    options: tuple[OptionInput, ...] = Field(min_length=2, max_length=6)
    recommended: str = Field(description="The id of the option that you recommend.")

    @model_validator(mode="after")
    def _consistent(self) -> "AskFounderInput":
        ids = [option.id for option in self.options]
        if len(set(ids)) != len(ids):
            raise ValueError("option ids must differ")
        if STOP_JOB in ids:
            raise ValueError(f"the option id {STOP_JOB} is reserved for ending the whole job")
        if self.recommended not in ids:
            raise ValueError(f"recommended must be one of {', '.join(ids)}")
        return self


class AskFounder:
    """The same question is asked once: its words are its cause."""

    name: ClassVar[str] = "ask_founder"
    description: ClassVar[str] = (
        "Ask the founder to decide. Go on with work that does not depend on the answer; when "
        "none is left, end your turn. The answer comes as a message."
    )
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = AskFounderInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Ask; the result is written only together with the question."""
        assert isinstance(raw, AskFounderInput)
        question = Question(
            escalation_id=EscalationId(context.ids.new("esc")),
            cause=fingerprint(raw.problem),
            problem=raw.problem,
            tried=tuple((tried.approach, tried.result) for tried in raw.tried),
            options=tuple(Option(**option.model_dump()) for option in raw.options),
            recommended=raw.recommended,
        )
        return ToolOutcome(
            text="The founder was asked. The answer will come as a message.",
            label="Ask the founder",
            summary=raw.problem[:200],
            effects=(question,),
        )
