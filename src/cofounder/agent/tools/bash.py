"""Run a command in the sandbox."""

import shlex
from typing import ClassVar

from pydantic import Field

from cofounder.agent.tools.base import Approach, Replay, ToolContext, ToolInput, ToolOutcome
from cofounder.domain.failures import fingerprint
from cofounder.ports.sandbox import Command, CommandResult


class BashInput(ToolInput):
    """`goal` is what tells one problem from another when things fail."""

    command: str = Field(min_length=1, description="Shell command, run by `bash -c`.")
    goal: str = Field(
        default="", description="In a few words, what this is to achieve; same words, same goal."
    )
    timeout_s: float = Field(default=120, gt=0, le=900, description="Time limit in seconds.")


class Bash:
    """Effects are unknown after a crash, so an interrupted command is never run again."""

    name: ClassVar[str] = "bash"
    description: ClassVar[str] = (
        "Run a shell command in the workspace, without network. Background processes end with "
        "the command. stdout and stderr come back together."
    )
    replay: ClassVar[Replay] = Replay.ASK
    Input: ClassVar[type[ToolInput]] = BashInput

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Run it and say how it ended."""
        assert isinstance(raw, BashInput)
        result = await context.workspace.run(
            Command(argv=("bash", "-c", raw.command), timeout_s=raw.timeout_s)
        )
        output = result.output.decode(errors="replace").rstrip()
        ending = _ending(result, raw.timeout_s)
        failed = result.exit_code != 0
        return ToolOutcome(
            text=f"{output}\n[{ending}]" if output else f"[{ending}]",
            label=f"$ {raw.command.splitlines()[0][:200]}",
            summary=_last_line(output) if not failed else f"{ending}: {_last_line(output)}",
            is_error=failed,
            approach=Approach(
                goal=fingerprint(raw.goal or _program(raw.command)),
                strategy=fingerprint(raw.command),
                description=raw.command[:500],
            ),
        )


def _ending(result: CommandResult, timeout_s: float) -> str:
    ending = (
        f"killed after {timeout_s:g} s" if result.exit_code is None else f"exit {result.exit_code}"
    )
    dropped = f", {result.dropped_bytes} bytes of output left out" if result.dropped_bytes else ""
    return ending + dropped


def _last_line(output: str) -> str:
    return output.rsplit("\n", 1)[-1].strip()[:200]


def _program(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    return next((word for word in words if "=" not in word), command)
