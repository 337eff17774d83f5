"""The conversation: blocks, messages, pairing and truncation.

Blocks keep the provider's field values unchanged, thinking and its signature byte for
byte, because the provider refuses a conversation whose thinking was touched.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cofounder.domain.ids import ToolUseId
from cofounder.domain.json_types import JsonObject


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


class StopReason(StrEnum):
    """Why the model stopped, in the provider's words."""

    END_TURN = "end_turn"
    TOOL_USE = "tool_use"
    MAX_TOKENS = "max_tokens"
    STOP_SEQUENCE = "stop_sequence"
    PAUSE_TURN = "pause_turn"
    REFUSAL = "refusal"
    CONTEXT_WINDOW = "model_context_window_exceeded"


@dataclass(frozen=True, kw_only=True)
class TextBlock:
    """Plain text."""

    text: str


@dataclass(frozen=True, kw_only=True)
class ThinkingBlock:
    """The model's reasoning; goes back unchanged, signature included."""

    thinking: str
    signature: str


@dataclass(frozen=True, kw_only=True)
class RedactedThinkingBlock:
    """Reasoning that only the provider can read; goes back unchanged."""

    data: str


@dataclass(frozen=True, kw_only=True)
class ToolUseBlock:
    """A call that the model asks for. `input` is parsed from a closed block only."""

    id: ToolUseId
    name: str
    input: JsonObject


@dataclass(frozen=True, kw_only=True)
class Image:
    """A picture for the model: base64 of a PNG."""

    png_base64: str


@dataclass(frozen=True, kw_only=True)
class ToolResultBlock:
    """The answer to one tool call; every call gets exactly one."""

    tool_use_id: ToolUseId
    text: str
    is_error: bool = False
    image: Image | None = None


Block: TypeAlias = (
    TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock | ToolResultBlock
)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of the conversation, append-only once stored."""

    role: Role
    blocks: tuple[Block, ...]

    @property
    def tool_uses(self) -> tuple[ToolUseBlock, ...]:
        """The tool calls of this message, in the model's order."""
        return tuple(block for block in self.blocks if isinstance(block, ToolUseBlock))

    @property
    def text(self) -> str:
        """All plain text of this message, joined by line breaks."""
        return "\n".join(block.text for block in self.blocks if isinstance(block, TextBlock))


def unanswered(messages: Sequence[Message]) -> tuple[ToolUseBlock, ...]:
    """The tool calls of the last message that have no result yet.

    The store appends results only together, so no earlier message can have any.
    """
    if not messages:
        return ()
    return messages[-1].tool_uses if messages[-1].role is Role.ASSISTANT else ()


def paired(messages: Iterable[Message]) -> bool:
    """Whether every tool call is answered, once, at the start of the next user message."""
    expected: tuple[str, ...] = ()
    for message in messages:
        results = tuple(
            block.tool_use_id for block in message.blocks if isinstance(block, ToolResultBlock)
        )
        if results != expected or not _in_place(message):
            return False
        expected = tuple(use.id for use in message.tool_uses)
    return not expected


def _in_place(message: Message) -> bool:
    kinds = [isinstance(block, ToolResultBlock) for block in message.blocks]
    if message.role is Role.ASSISTANT:
        return not any(kinds)
    return not message.tool_uses and kinds == sorted(kinds, reverse=True)


def truncate_middle(text: str, *, limit: int, note: str) -> str:
    """Keep head and tail of a long text and say in the middle what is missing.

    `limit` is in characters; `note` tells where the whole can be read.
    """
    if len(text) <= limit:
        return text
    half = limit // 2
    dropped = len(text) - 2 * half
    return f"{text[:half]}\n[… {dropped} characters left out; {note} …]\n{text[len(text) - half :]}"
