"""What the tests of the Anthropic adapter share: a provider, a model, and messages."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from cofounder.adapters.anthropic import AnthropicModel
from cofounder.domain.transcript import (
    Block,
    Message,
    Role,
    TextBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from cofounder.ports.model import ModelReply, ModelRequest, ToolSpec
from cofounder.testing.provider import StrictProvider, Turn

MODEL = "claude-sonnet-5"
TOOLS = tuple(
    ToolSpec(
        name=name,
        description=f"The tool {name}.",
        input_schema={"type": "object", "properties": {"path": {"type": "string"}}},
    )
    for name in ("read", "write")
)


@dataclass(frozen=True)
class Stage:
    provider: StrictProvider
    model: AnthropicModel


@asynccontextmanager
async def stage(turns: Sequence[Turn], *, idle_limit_s: float = 30.0) -> AsyncIterator[Stage]:
    async with StrictProvider(turns) as provider:
        model = AnthropicModel(
            api_key=provider.api_key, base_url=provider.base_url, idle_limit_s=idle_limit_s
        )
        try:
            yield Stage(provider, model)
        finally:
            await model.close()


def user(*blocks: Block | str) -> Message:
    as_blocks = (TextBlock(text=block) if isinstance(block, str) else block for block in blocks)
    return Message(role=Role.USER, blocks=tuple(as_blocks))


def assistant(reply: ModelReply) -> Message:
    return Message(role=Role.ASSISTANT, blocks=reply.blocks)


def results(reply: ModelReply, text: str = "done") -> tuple[ToolResultBlock, ...]:
    calls = (block for block in reply.blocks if isinstance(block, ToolUseBlock))
    return tuple(ToolResultBlock(tool_use_id=call.id, text=text) for call in calls)


def ask(*messages: Message, max_tokens: int = 4_000, model: str = MODEL) -> ModelRequest:
    return ModelRequest(
        model=model,
        system="You build software.",
        tools=TOOLS,
        messages=messages,
        max_tokens=max_tokens,
    )


START = user("Build a bakery site.")
