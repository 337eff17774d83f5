"""Keep a document: plans, notes, the hand-over."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import (
    DocumentVersion,
    Replay,
    ToolContext,
    ToolInput,
    ToolOutcome,
)


class DocumentInput(ToolInput):
    """Markdown, the whole text."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$", description="Short name, such as plan or handover."
    )
    content: str = Field(min_length=1, max_length=100_000, description="The whole text, Markdown.")


class Document:
    """Every version is kept; the founder reads the newest."""

    name: ClassVar[str] = "document"
    description: ClassVar[str] = (
        "Keep a document for the founder and for yourself. Writing it again makes a new version. "
        "The one named `handover` is what you read first after a sleep."
    )
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = DocumentInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Keep it."""
        assert isinstance(raw, DocumentInput)
        return ToolOutcome(
            text=f"Kept {raw.name}.",
            label=f"Document {raw.name}",
            summary=f"{len(raw.content)} characters",
            effects=(DocumentVersion(name=raw.name, content=raw.content),),
        )
