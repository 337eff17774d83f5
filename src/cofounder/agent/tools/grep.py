"""Search file contents."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Replay, ToolContext, ToolInput, ToolOutcome
from cofounder.ports.sandbox import Command


class GrepInput(ToolInput):
    """Extended regular expression."""

    pattern: str = Field(min_length=1, description="Extended regular expression.")
    path: str = Field(default=".", description="File or folder to search in.")
    include: str = Field(default="", description="Only files whose name fits, such as *.py.")


class Grep:
    """Runs grep inside the sandbox, where nothing outside the workspace can be read."""

    name: ClassVar[str] = "grep"
    description: ClassVar[str] = "Search file contents; shows file, line number and line."
    replay: ClassVar[Replay] = Replay.READ_ONLY
    Input: ClassVar[type[ToolInput]] = GrepInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Search; no match is no error."""
        assert isinstance(raw, GrepInput)
        argv = ["grep", "-rnIE", "--exclude-dir=.git", "--exclude-dir=.cofounder"]
        if raw.include:
            argv.append(f"--include={raw.include}")
        result = await context.workspace.run(
            Command(argv=(*argv, "-e", raw.pattern, "--", raw.path), timeout_s=30)
        )
        text = result.output.decode(errors="replace").rstrip()
        matches = len(text.splitlines()) if result.exit_code == 0 else 0
        # grep ends with 1 when nothing matches, with 2 when something is wrong.
        return ToolOutcome(
            text=text or "[no match]",
            label=f"Search {raw.pattern}",
            summary=f"{matches} matches" if result.exit_code in (0, 1) else text[:200],
            is_error=result.exit_code not in (0, 1),
        )
