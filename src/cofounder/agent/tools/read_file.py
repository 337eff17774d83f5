"""Read a file, or a part of it."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Replay, ToolContext, ToolInput, ToolOutcome


class ReadFileInput(ToolInput):
    """Lines count from 1."""

    path: str = Field(description="File to read, relative to the workspace.")
    first_line: int = Field(default=1, ge=1, description="First line to show.")
    line_count: int = Field(default=2000, ge=1, le=5000, description="How many lines to show.")


class ReadFile:
    """Shows lines with their numbers."""

    name: ClassVar[str] = "read_file"
    description: ClassVar[str] = "Read a text file. Lines come with their numbers."
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = ReadFileInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Read and number the lines."""
        assert isinstance(raw, ReadFileInput)
        lines = (await context.workspace.read(raw.path)).decode(errors="replace").splitlines()
        shown = lines[raw.first_line - 1 : raw.first_line - 1 + raw.line_count]
        numbered = [f"{number:>5}  {line}" for number, line in enumerate(shown, raw.first_line)]
        rest = len(lines) - (raw.first_line - 1 + len(shown))
        if rest > 0:
            numbered.append(f"[{rest} more lines]")
        return ToolOutcome(
            text="\n".join(numbered) or "[empty]",
            label=f"Read {raw.path}",
            summary=f"{len(shown)} of {len(lines)} lines",
        )
