"""The request body as the provider defines it; whatever else it holds is refused.

Source: the Messages API reference. Only what this project sends is known.
"""

import base64
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from cofounder.domain.ids import ToolUseId
from cofounder.domain.transcript import (
    Block,
    Image,
    Message,
    RedactedThinkingBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from cofounder.testing.provider.billing import Segment
from cofounder.testing.provider.content import tokens
from cofounder.testing.provider.script import RequestView

_PNG = b"\x89PNG\r\n\x1a\n"
# What a screen-sized picture costs, roughly; fixed, so that a bill can be foretold.
IMAGE_TOKENS = 1_500


class _Exact(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class CacheControl(_Exact):
    """A cache breakpoint."""

    type: Literal["ephemeral"]
    ttl: Literal["5m"] = "5m"


class _Cacheable(_Exact):
    cache_control: CacheControl | None = None


class Text(_Cacheable):
    """Plain text."""

    type: Literal["text"]
    text: str


def _png(data: str) -> str:
    # A wrong alphabet or padding raises ValueError too.
    if not base64.b64decode(data, validate=True).startswith(_PNG):
        raise ValueError("Image does not match the provided media type image/png")
    return data


class ImageSource(_Exact):
    """A picture's bytes."""

    type: Literal["base64"]
    media_type: Literal["image/png"]
    data: Annotated[str, AfterValidator(_png)]


class Picture(_Cacheable):
    """A picture."""

    type: Literal["image"]
    source: ImageSource


class ToolUse(_Cacheable):
    """A call that the model asked for."""

    type: Literal["tool_use"]
    id: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]+$")]
    name: str
    input: dict[str, JsonValue]


class _InnerText(_Exact):
    type: Literal["text"]
    text: str


class _InnerPicture(_Exact):
    type: Literal["image"]
    source: ImageSource


_InnerContent: TypeAlias = Annotated[
    list[Annotated[_InnerText | _InnerPicture, Field(discriminator="type")]] | str,
    Field(union_mode="left_to_right"),
]


class ToolResult(_Cacheable):
    """The answer to a call."""

    type: Literal["tool_result"]
    tool_use_id: str
    content: _InnerContent = ""
    is_error: bool = False

    @property
    def texts(self) -> tuple[str, ...]:
        """Its texts."""
        if isinstance(self.content, str):
            return (self.content,) if self.content else ()
        return tuple(block.text for block in self.content if isinstance(block, _InnerText))

    @property
    def pictures(self) -> tuple[str, ...]:
        """Its pictures, as base64."""
        inner = [] if isinstance(self.content, str) else self.content
        return tuple(block.source.data for block in inner if isinstance(block, _InnerPicture))


class Thinking(_Exact):
    """Reasoning, signed."""

    type: Literal["thinking"]
    thinking: str
    signature: str


class RedactedThinking(_Exact):
    """Reasoning that only the provider can read."""

    type: Literal["redacted_thinking"]
    data: str


WireBlock: TypeAlias = Text | Picture | ToolUse | ToolResult | Thinking | RedactedThinking
_Content: TypeAlias = Annotated[
    list[Annotated[WireBlock, Field(discriminator="type")]] | str,
    # Blocks are what almost every message has: they are tried first, and alone.
    Field(union_mode="left_to_right"),
]


class WireMessage(_Exact):
    """One turn. A bare text stands for one text block."""

    role: Literal["user", "assistant"]
    content: _Content

    @property
    def blocks(self) -> list[WireBlock]:
        """The content as blocks."""
        if isinstance(self.content, str):
            return [Text(type="text", text=self.content)]
        return self.content


class Tool(_Cacheable):
    """A tool definition."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    description: str = ""
    input_schema: dict[str, JsonValue]


class WireRequest(_Exact):
    """The body of `POST /v1/messages`."""

    model: str
    max_tokens: Annotated[int, Field(ge=1)]
    messages: Annotated[list[WireMessage], Field(min_length=1)]
    system: str | list[Text] = ""
    tools: list[Tool] = []
    stream: Literal[True]
    metadata: dict[str, JsonValue] | None = None
    tool_choice: dict[str, JsonValue] | None = None
    thinking: dict[str, JsonValue] | None = None

    @property
    def system_blocks(self) -> list[Text]:
        """The system prompt as blocks."""
        if isinstance(self.system, str):
            return [Text(type="text", text=self.system)] if self.system else []
        return self.system


def view_of(request: WireRequest) -> RequestView:
    """The request as a script sees it."""
    return RequestView(
        model=request.model,
        system="\n".join(block.text for block in request.system_blocks),
        tool_names=tuple(tool.name for tool in request.tools),
        messages=tuple(
            Message(role=Role(message.role), blocks=tuple(map(_domain_block, message.blocks)))
            for message in request.messages
        ),
        max_tokens=request.max_tokens,
    )


def _domain_block(block: WireBlock) -> Block:
    match block:
        case Text():
            return TextBlock(text=block.text)
        case ToolUse():
            return ToolUseBlock(id=ToolUseId(block.id), name=block.name, input=block.input)
        case Thinking():
            return ThinkingBlock(thinking=block.thinking, signature=block.signature)
        case RedactedThinking():
            return RedactedThinkingBlock(data=block.data)
        case ToolResult():
            return ToolResultBlock(
                tool_use_id=ToolUseId(block.tool_use_id),
                text="\n".join(block.texts),
                is_error=block.is_error,
                image=Image(png_base64=block.pictures[0]) if block.pictures else None,
            )
        case Picture():
            return TextBlock(text="[a picture]")


def segments(request: WireRequest) -> list[Segment]:
    """The prompt in the provider's order of caching: tools, system, messages."""
    found = [
        _segment(tool, "tool", tool.name + tool.description + _json(tool, "input_schema"))
        for tool in request.tools
    ]
    found += [_segment(block, "system", block.text) for block in request.system_blocks]
    for message in request.messages:
        for block in message.blocks:
            found.append(_message_segment(block, message.role))
    return found


def _message_segment(block: WireBlock, role: str) -> Segment:
    match block:
        case Text():
            return _segment(block, role, block.text)
        case ToolUse():
            return _segment(block, role, block.name + _json(block, "input"))
        case Thinking():
            return _segment(block, role, block.thinking)
        case RedactedThinking():
            return _segment(block, role, block.data)
        case ToolResult():
            return _segment(block, role, "".join(block.texts), pictures=len(block.pictures))
        case Picture():
            return _segment(block, role, "", pictures=1)


def _json(block: Tool | ToolUse, field: str) -> str:
    return block.model_dump_json(include={field})


def _segment(block: Tool | WireBlock, place: str, text: str, *, pictures: int = 0) -> Segment:
    return Segment(
        data=f"{place}:{block.model_dump_json(exclude={'cache_control'})}".encode(),
        tokens=tokens(text) + pictures * IMAGE_TOKENS,
        breakpoint=isinstance(block, _Cacheable) and block.cache_control is not None,
    )
