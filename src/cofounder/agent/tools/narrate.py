"""Tell the founder what happens."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Narration, Replay, ToolContext, ToolInput, ToolOutcome


class NarrateInput(ToolInput):
    """`phase_name` drives the phases that the founder sees."""

    text: str = Field(min_length=1, max_length=2000, description="One or two plain sentences.")
    phase_name: str | None = Field(
        default=None,
        min_length=1,
        max_length=120,
        description="The phase you enter now; the one before it counts as completed.",
    )


class Narrate:
    """Only an effect in the store, so running it again is harmless."""

    name: ClassVar[str] = "narrate"
    description: ClassVar[str] = "Tell the founder what you do, and enter a phase of the work."
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = NarrateInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Say it."""
        assert isinstance(raw, NarrateInput)
        return ToolOutcome(
            text="Told.",
            label="Narrate",
            summary=raw.text[:200],
            effects=(Narration(text=raw.text, phase_name=raw.phase_name),),
        )
