"""Replace one passage of a file."""

from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Replay, ToolContext, ToolInput, ToolOutcome
from cofounder.domain.errors import InvalidInputError


class EditFileInput(ToolInput):
    """`old` must occur exactly once."""

    path: str = Field(description="File to change, relative to the workspace.")
    old: str = Field(min_length=1, description="The passage to replace, exactly as it stands.")
    new: str = Field(description="What to put in its place.")


class EditFile:
    """Refuses an ambiguous edit, and knows one that was applied before a crash."""

    name: ClassVar[str] = "edit_file"
    description: ClassVar[str] = "Replace a passage that occurs exactly once in a text file."
    replay: ClassVar[Replay] = Replay.RERUN
    Input: ClassVar[type[ToolInput]] = EditFileInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Apply the edit once."""
        assert isinstance(raw, EditFileInput)
        text = (await context.workspace.read(raw.path)).decode()
        label = f"Edit {raw.path}"
        if context.replayed and _applied(text, raw):
            return ToolOutcome(
                text=f"The edit of {raw.path} was applied already.", label=label, summary="applied"
            )
        found = text.count(raw.old)
        if found != 1:
            raise InvalidInputError(
                f"The passage occurs {found} times in {raw.path}.",
                field="old",
                cure="Read the file, then give a passage that occurs exactly once.",
            )
        await context.workspace.write(raw.path, text.replace(raw.old, raw.new).encode())
        return ToolOutcome(
            text=f"Changed {raw.path}.",
            label=label,
            summary=f"-{raw.old.count(chr(10)) + 1} +{raw.new.count(chr(10)) + 1} lines",
        )


def _applied(text: str, edit: EditFileInput) -> bool:
    # `new` may itself contain `old`: then the edit is undone when `new` is not there.
    return bool(edit.new) and edit.new in text and text.replace(edit.new, "").count(edit.old) == 0
