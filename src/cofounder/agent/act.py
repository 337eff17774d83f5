"""Run the tools that the newest reply asks for, and give all results back together."""

import asyncio
from dataclasses import replace
from hashlib import sha256

from pydantic import ValidationError

from cofounder.agent.journal import Turn
from cofounder.agent.kit import Kit
from cofounder.agent.tools.base import Replay, Tool, ToolContext, ToolInput, ToolOutcome
from cofounder.domain.errors import CofounderError
from cofounder.domain.transcript import ToolResultBlock, ToolUseBlock, truncate_middle
from cofounder.ports.store import ToolCallRow, ToolStatus

RESULT_LIMIT_CHARS = 30_000
INTERRUPTED = (
    "This command was interrupted: the service or its database went away, and it is not known "
    "how far it came. It was NOT run again. Inspect its effects first, then decide."
)
CHANGE_APPROACH = "\nIf this was your second try of the same kind, take a different approach."


async def act(turn: Turn, kit: Kit) -> bool:
    """Run what is asked for, in order. False: the session stopped."""
    rows = await kit.journal.planned_tools(turn)
    if not rows:
        return await kit.journal.conclude(turn)
    results: list[ToolResultBlock] = []
    for row in rows:
        result = row.result or await _run(turn, kit, row)
        if result is None:
            return False
        results.append(result)
    return await kit.journal.observe(turn, results)


async def _run(turn: Turn, kit: Kit, row: ToolCallRow) -> ToolResultBlock | None:
    tool, use = kit.tools.get(row.use.name), row.use
    started = kit.clock.monotonic_s()
    if tool is None:
        outcome = _error(use, f"There is no tool {use.name!r}. Use one of: {kit.tools.names}.")
    elif row.status is ToolStatus.STARTED and tool.replay is Replay.ASK:
        outcome = _error(use, INTERRUPTED)
    else:
        if tool.replay is not Replay.READ_ONLY and not await kit.journal.tool_started(turn, use):
            return None
        outcome = await _interruptible(turn, tool, use, _context(kit, row))
    outcome = await _shortened(kit, use, outcome)
    return await kit.journal.tool_done(turn, use, outcome, kit.clock.monotonic_s() - started)


def _context(kit: Kit, row: ToolCallRow) -> ToolContext:
    return ToolContext(
        workspace=kit.workspace,
        clock=kit.clock,
        ids=kit.ids,
        use_id=row.use.id,
        replayed=row.status is ToolStatus.STARTED,
    )


async def _interruptible(
    turn: Turn, tool: Tool, use: ToolUseBlock, context: ToolContext
) -> ToolOutcome:
    """Run the tool, but end it at once when the founder cancels the session."""
    running = asyncio.create_task(_attempt(tool, use, context))
    interrupted = asyncio.create_task(turn.interrupt.wait())
    try:
        await asyncio.wait({running, interrupted}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        return _error(use, "Stopped by the founder.")
    finally:
        interrupted.cancel()
        running.cancel()
        await asyncio.wait({running, interrupted})


async def _attempt(tool: Tool, use: ToolUseBlock, context: ToolContext) -> ToolOutcome:
    try:
        return await tool.run(_parsed(tool, use), context)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'input'}: {e['msg']}" for e in error.errors()
        )
        return _error(use, f"The input does not fit the tool: {problems}.")
    except CofounderError as error:
        return _error(use, f"{error.message} {error.cure}".strip())
    except OSError as error:
        return _error(use, f"{error.strerror or error}: {error.filename or use.name}")
    except Exception as error:  # a tool's defect would recur at every restart: it is told instead
        return _error(use, f"The tool failed: {type(error).__name__}: {error}")


def _parsed(tool: Tool, use: ToolUseBlock) -> ToolInput:
    return tool.Input.model_validate(dict(use.input))


def _error(use: ToolUseBlock, text: str) -> ToolOutcome:
    return ToolOutcome(
        text=text + CHANGE_APPROACH, label=use.name, summary=text.split("\n")[0], is_error=True
    )


async def _shortened(kit: Kit, use: ToolUseBlock, outcome: ToolOutcome) -> ToolOutcome:
    """Cut a large result in the middle; the whole goes into a file that the agent can read."""
    if len(outcome.text) <= RESULT_LIMIT_CHARS:
        return outcome
    path = f".cofounder/outputs/{sha256(use.id.encode()).hexdigest()[:16]}.txt"
    try:
        await kit.workspace.write(path, outcome.text.encode())
        note = f"the whole is in {path}"
    except (CofounderError, OSError):
        note = "the whole could not be kept"
    text = truncate_middle(outcome.text, limit=RESULT_LIMIT_CHARS, note=note)
    return replace(outcome, text=text)
