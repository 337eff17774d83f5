"""Write a whole file."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Replay, ToolContext, ToolInput, ToolOutcome


class WriteFileInput(ToolInput):
    """The whole content, not a part."""

    path: str = Field(description="File to write, relative to the workspace.")
    content: str = Field(description="The file's whole new content.")


class WriteFile:
    """Replaces the file atomically, so that running it again changes nothing."""

    name: ClassVar[str] = "write_file"
    description: ClassVar[str] = "Write a text file as a whole; folders are made as needed."
    replay: ClassVar[Replay] = Replay.RERUN
    Input: ClassVar[type[ToolInput]] = WriteFileInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Write it."""
        assert isinstance(raw, WriteFileInput)
        content = raw.content.encode()
        await context.workspace.write(raw.path, content)
        lines = raw.content.count("\n") + (not raw.content.endswith("\n") and bool(raw.content))
        return ToolOutcome(
            text=f"Wrote {raw.path} ({lines} lines, {len(content)} bytes).",
            label=f"Write {raw.path}",
            summary=f"{lines} lines",
        )
