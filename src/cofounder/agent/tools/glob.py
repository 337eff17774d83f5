"""Find files by name."""

from fnmatch import fnmatchcase
from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Replay, ToolContext, ToolInput, ToolOutcome


class GlobInput(ToolInput):
    """`*` also crosses folders."""

    pattern: str = Field(
        default="*", description="Name pattern such as src/*.py; * also matches across folders."
    )


class Glob:
    """Lists the workspace's regular files."""

    name: ClassVar[str] = "glob"
    description: ClassVar[str] = "List files whose path fits a pattern, with their sizes."
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = GlobInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Match every path."""
        assert isinstance(raw, GlobInput)
        pattern = raw.pattern.removeprefix("./").replace("**/", "*")
        files = [
            entry
            for entry in await context.workspace.list_files()
            if fnmatchcase(entry.path, pattern)
        ]
        text = "\n".join(f"{entry.path}  {entry.size_bytes}" for entry in files)
        return ToolOutcome(
            text=text or "[no file]", label=f"List {raw.pattern}", summary=f"{len(files)} files"
        )
