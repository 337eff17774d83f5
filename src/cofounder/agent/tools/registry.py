"""All tools by name, in a fixed order: the order is part of the provider's cached prefix."""

from collections.abc import Sequence

from cofounder.agent.tools.ask_founder import AskFounder
from cofounder.agent.tools.base import Tool
from cofounder.agent.tools.bash import Bash
from cofounder.agent.tools.document import Document
from cofounder.agent.tools.edit_file import EditFile
from cofounder.agent.tools.glob import Glob
from cofounder.agent.tools.grep import Grep
from cofounder.agent.tools.narrate import Narrate
from cofounder.agent.tools.read_file import ReadFile
from cofounder.agent.tools.take_screenshot import TakeScreenshot
from cofounder.agent.tools.write_file import WriteFile
from cofounder.ports.model import ToolSpec


class Registry:
    """The tools that a session has."""

    def __init__(self, tools: Sequence[Tool]) -> None:
        """Keep the tools in the order given."""
        self._tools = {tool.name: tool for tool in tools}
        self.specs = tuple(
            ToolSpec(
                name=tool.name,
                description=tool.description,
                input_schema=tool.Input.model_json_schema(),
            )
            for tool in tools
        )

    def get(self, name: str) -> Tool | None:
        """The tool of that name."""
        return self._tools.get(name)

    @property
    def names(self) -> str:
        """All names, for messages."""
        return ", ".join(self._tools)


def standard_tools() -> Registry:
    """What every session has."""
    return Registry(
        [
            ReadFile(),
            WriteFile(),
            EditFile(),
            Bash(),
            Grep(),
            Glob(),
            TakeScreenshot(),
            Narrate(),
            Document(),
            AskFounder(),
        ]
    )
