"""Domain messages as the body of a Messages request.

Each message is encoded once and its JSON kept for as long as the message lives, so that
the thousandth request of a conversation costs hardly more than the first. The order of
fields, tools and blocks never changes: the provider caches by prefix.
"""

import json
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from cofounder.domain.json_types import JsonObject, JsonValue
from cofounder.domain.transcript import (
    Block,
    Message,
    RedactedThinkingBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from cofounder.ports.model import ModelRequest, ToolSpec

# The most that a picture costs after the provider has scaled it down (Claude's guide to
# vision), at 4 bytes a token.
_PICTURE_BYTES = 4 * 4_784

# The provider refuses messages without content and empty texts.
_NO_OUTPUT = "(no output)"
_NOTHING = "(nothing)"

_ROLES = {Role.USER: b"user", Role.ASSISTANT: b"assistant"}
_BREAKPOINT = b',"cache_control":{"type":"ephemeral"}}'


@dataclass(frozen=True, kw_only=True)
class _Encoded:
    """One message: its blocks as JSON, with commas between them.

    Tool results are kept apart, because they come first also where messages are merged.
    """

    role: Role
    results: bytes
    others: bytes
    size_bytes: int

    @property
    def content(self) -> bytes:
        """All blocks, at least one."""
        return _joined(self.results, self.others)


class Encoder:
    """Encodes requests. What it remembers of a message goes when the message goes."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Message], _Encoded]] = {}
        self._tools: tuple[tuple[ToolSpec, ...], bytes] = ((), b"")

    def body(self, request: ModelRequest) -> bytes:
        """The whole request body, with its cache breakpoints."""
        head: JsonObject = {
            "model": request.model,
            "max_tokens": request.max_tokens,
            "stream": True,
        }
        messages = b",".join(_marked(_merged(map(self._encoded, request.messages))))
        prefix = self._prefix(request)
        return b'%s,%s"messages":[%s]}' % (_dumps(head)[:-1], prefix, messages)

    def size_bytes(self, request: ModelRequest) -> int:
        """The body's length, with a picture's tokens in place of its data."""
        messages = sum(self._encoded(message).size_bytes for message in request.messages)
        return messages + len(self._prefix(request))

    def _encoded(self, message: Message) -> _Encoded:
        # By identity: messages are immutable, and their tool inputs cannot be hashed.
        key = id(message)
        known = self._known.get(key)
        if known is not None and known[0]() is message:
            return known[1]
        encoded = _encode(message)
        self._known[key] = (weakref.ref(message, self._forget(key)), encoded)
        return encoded

    def _forget(self, key: int) -> Callable[[weakref.ref[Message]], None]:
        known = self._known

        def forget(gone: weakref.ref[Message]) -> None:
            # Another message may live at this address by now.
            if key in known and known[key][0] is gone:
                del known[key]

        return forget

    def _prefix(self, request: ModelRequest) -> bytes:
        """Tools and system prompt as JSON fields, each with a comma after it."""
        if self._tools[0] != request.tools:
            self._tools = (request.tools, _encode_tools(request.tools))
        return self._tools[1] + _encode_system(request.system)


def _dumps(value: JsonValue) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Half a surrogate pair, which a tool's output may hold, is no text for any provider.
    return text.encode("utf-8", "replace")


def _with_breakpoint(blocks: bytes) -> bytes:
    """The blocks, the last of them with one more field: cached up to here."""
    return blocks[:-1] + _BREAKPOINT


def _encode_tools(tools: Sequence[ToolSpec]) -> bytes:
    if not tools:
        return b""
    specs = [_tool(tool) for tool in tools]
    specs[-1] = _with_breakpoint(specs[-1])
    return b'"tools":[%s],' % b",".join(specs)


def _encode_system(system: str) -> bytes:
    if not system.strip():
        return b""
    return b'"system":[%s],' % _with_breakpoint(_dumps({"type": "text", "text": system}))


def _tool(tool: ToolSpec) -> bytes:
    return _dumps(
        {
            "name": tool.name,
            "description": tool.description,
            "input_schema": tool.input_schema,
        }
    )


def _encode(message: Message) -> _Encoded:
    results: list[bytes] = []
    others: list[bytes] = []
    picture_bytes = 0
    last: Block | None = None
    for block in message.blocks:
        # Models do send blank texts, and refuse to have them back.
        if isinstance(block, TextBlock) and not block.text.strip():
            continue
        last = block
        (results if isinstance(block, ToolResultBlock) else others).append(_dumps(_wire(block)))
        if isinstance(block, ToolResultBlock) and block.image is not None:
            picture_bytes += _PICTURE_BYTES - len(block.image.png_base64)
    # A reply must not end in thinking, and no message may be empty.
    if last is None or isinstance(last, ThinkingBlock | RedactedThinkingBlock):
        others.append(_dumps({"type": "text", "text": _NOTHING}))
    return _Encoded(
        role=message.role,
        results=b",".join(results),
        others=b",".join(others),
        size_bytes=sum(map(len, results)) + sum(map(len, others)) + picture_bytes,
    )


def _wire(block: Block) -> JsonObject:
    match block:
        case TextBlock():
            return {"type": "text", "text": block.text}
        case ThinkingBlock():
            return {
                "type": "thinking",
                "thinking": block.thinking,
                "signature": block.signature,
            }
        case RedactedThinkingBlock():
            return {"type": "redacted_thinking", "data": block.data}
        case ToolUseBlock():
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}
        case ToolResultBlock():
            return _wire_result(block)


def _wire_result(block: ToolResultBlock) -> JsonObject:
    text = block.text if block.text.strip() else _NO_OUTPUT
    content: list[JsonObject] = [{"type": "text", "text": text}]
    if block.image is not None:
        source = {"type": "base64", "media_type": "image/png", "data": block.image.png_base64}
        content.append({"type": "image", "source": source})
    result: dict[str, JsonValue] = {
        "type": "tool_result",
        "tool_use_id": block.tool_use_id,
        "content": content,
    }
    if block.is_error:
        result["is_error"] = True
    return result


def _merged(messages: Iterable[_Encoded]) -> list[_Encoded]:
    """User messages that follow each other become one, all results in front."""
    merged: list[_Encoded] = []
    for message in messages:
        if merged and message.role is Role.USER and merged[-1].role is Role.USER:
            before = merged.pop()
            message = _Encoded(
                role=Role.USER,
                results=_joined(before.results, message.results),
                others=_joined(before.others, message.others),
                size_bytes=before.size_bytes + message.size_bytes,
            )
        merged.append(message)
    return merged


def _marked(messages: Sequence[_Encoded]) -> Iterable[bytes]:
    """The messages as JSON, with breakpoints on the last and on the user message before it.

    That earlier one is where the request before this one had ended, so that its cache is
    found however much the reply in between has added.
    """
    breakpoints = {len(messages) - 1}
    for index in range(len(messages) - 2, -1, -1):
        if messages[index].role is Role.USER:
            breakpoints.add(index)
            break
    for index, message in enumerate(messages):
        content = message.content
        if index in breakpoints:
            content = _with_breakpoint(content)
        yield b'{"role":"%s","content":[%s]}' % (_ROLES[message.role], content)


def _joined(first: bytes, second: bytes) -> bytes:
    return b"%s,%s" % (first, second) if first and second else first or second
