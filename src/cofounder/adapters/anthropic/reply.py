"""A stream of events as one complete reply, or the error that it amounts to."""

import math
from dataclasses import dataclass, field, replace

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import from_json

from cofounder.adapters.anthropic.failures import Failure, to_error
from cofounder.domain.errors import ModelError, ModelStreamCutError
from cofounder.domain.ids import ToolUseId
from cofounder.domain.money import Usage
from cofounder.domain.transcript import (
    Block,
    RedactedThinkingBlock,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)
from cofounder.ports.model import ModelReply


class _Counts(BaseModel):
    """Token counts; each event repeats those that it knows better."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Message(BaseModel):
    usage: _Counts


class _MessageStart(BaseModel):
    message: _Message


class _Opening(BaseModel):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str = ""
    data: str = ""
    id: str = ""
    name: str = ""
    input: dict[str, JsonValue] = {}


class _BlockStart(BaseModel):
    index: int
    content_block: _Opening


class _Delta(BaseModel):
    text: str = ""
    thinking: str = ""
    signature: str = ""
    partial_json: str = ""

    @property
    def content(self) -> str:
        return self.text or self.thinking or self.partial_json

    @property
    def size_bytes(self) -> int:
        return len(self.content.encode("utf-8", "replace"))


class _BlockDelta(BaseModel):
    index: int
    delta: _Delta


class _BlockStop(BaseModel):
    index: int


class _Stop(BaseModel):
    stop_reason: str | None = None


class _MessageDelta(BaseModel):
    delta: _Stop
    usage: _Counts = _Counts()


class _ErrorDetails(BaseModel):
    error_code: str | None = None


class _Error(BaseModel):
    type: str = ""
    message: str = ""
    details: _ErrorDetails | None = None


class _ErrorEvent(BaseModel):
    error: _Error


# Sent by the provider, and billed, when the connection broke.
_UNDER_WAY_TOKENS = 64
_BYTES_PER_TOKEN = 2


@dataclass(kw_only=True)
class _OpenBlock:
    """A block that is still being sent. `texts` is text, thinking or JSON by its type."""

    start: _Opening
    texts: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)

    def add(self, delta: _Delta) -> None:
        self.texts.append(delta.content)
        self.signatures.append(delta.signature)

    def close(self) -> Block | None:
        """The block as the conversation keeps it; None for what it has no use for.

        Raises `ValueError` when a tool's input is no JSON object.
        """
        start, text = self.start, "".join(self.texts)
        signature = start.signature + "".join(self.signatures)
        match start.type:
            case "text":
                return TextBlock(text=start.text + text)
            case "thinking" if signature:
                return ThinkingBlock(thinking=start.thinking + text, signature=signature)
            case "redacted_thinking":
                return RedactedThinkingBlock(data=start.data)
            case "tool_use":
                parsed = from_json(text, allow_inf_nan=False) if text else start.input
                if not isinstance(parsed, dict):
                    raise ValueError("a tool's input has to be an object")
                return ToolUseBlock(id=ToolUseId(start.id), name=start.name, input=parsed)
        # Thinking that was cut before its signature can never be sent back.
        return None


class ReplyBuilder:
    """Takes the events of one stream in order.

    `finished` once the terminal one was seen; `request_id` is the provider's.
    """

    def __init__(self) -> None:
        self.finished = False
        self.request_id: str | None = None
        self._counts: dict[str, int] = {}
        self._open: dict[int, _OpenBlock] = {}
        self._closed: dict[int, Block] = {}
        self._broken_input = False
        self._stop_reason: str | None = None
        self._received_bytes = 0

    @property
    def usage(self) -> Usage | None:
        """What the provider has counted so far; None before it said anything."""
        if not self._counts:
            return None
        counts = self._counts
        return Usage(
            input_tokens=counts.get("input_tokens", 0),
            output_tokens=counts.get("output_tokens", 0),
            cache_read_tokens=counts.get("cache_read_input_tokens", 0),
            cache_write_tokens=counts.get("cache_creation_input_tokens", 0),
        )

    @property
    def estimate(self) -> Usage | None:
        """What a reply that was cut may have cost; None before the provider said anything.

        Until the end the provider's count of output is a placeholder, so that what came
        is counted instead: never more than one token for two bytes, and some under way.
        """
        usage = self.usage
        if usage is None or self._stop_reason is not None:
            return usage
        received = math.ceil(self._received_bytes / _BYTES_PER_TOKEN) + _UNDER_WAY_TOKENS
        return replace(usage, output_tokens=max(usage.output_tokens, received))

    def accept(self, name: str | None, data: str) -> None:
        """Take one event; unknown ones say nothing to us. Raises a `ModelError`."""
        try:
            match name:
                case "content_block_delta":
                    delta = _BlockDelta.model_validate_json(data)
                    self._open[delta.index].add(delta.delta)
                    self._received_bytes += delta.delta.size_bytes
                case "content_block_start":
                    start = _BlockStart.model_validate_json(data)
                    self._open[start.index] = _OpenBlock(start=start.content_block)
                case "content_block_stop":
                    self._close(_BlockStop.model_validate_json(data).index)
                case "message_start" | "message_delta" | "message_stop":
                    self._frame(name, data)
                case "error":
                    raise self._failed(_ErrorEvent.model_validate_json(data).error)
        except (ValidationError, KeyError) as error:
            raise self.cut(f"an event could not be read: {name}") from error

    def reply(self) -> ModelReply:
        """The whole reply. Raises `ModelStreamCutError` when its end was not seen."""
        if not self.finished or self._stop_reason is None:
            raise self.cut("the stream ended before the reply was complete")
        if self._broken_input and self._stop_reason != StopReason.MAX_TOKENS:
            raise self.cut("the input of a tool call was no JSON object")
        return ModelReply(
            blocks=tuple(self._closed[index] for index in sorted(self._closed)),
            stop_reason=self._known_stop_reason(self._stop_reason),
            usage=self.usage or Usage(),
            provider_request_id=self.request_id,
        )

    def cut(self, reason: str) -> ModelStreamCutError:
        """The error for a reply that never came to its end."""
        return ModelStreamCutError(f"The model's reply was cut: {reason}", usage=self.estimate)

    def _frame(self, name: str, data: str) -> None:
        match name:
            case "message_start":
                self._count(_MessageStart.model_validate_json(data).message.usage)
            case "message_delta":
                delta = _MessageDelta.model_validate_json(data)
                self._stop_reason = delta.delta.stop_reason or self._stop_reason
                self._count(delta.usage)
            case "message_stop":
                self.finished = True

    def _close(self, index: int) -> None:
        try:
            block = self._open.pop(index).close()
        # A reply at its token limit is cut inside a tool's input: that call is left out.
        except ValueError:
            self._broken_input = True
            return
        if block is not None:
            self._closed[index] = block

    def _count(self, counts: _Counts) -> None:
        self._counts.update(counts.model_dump(exclude_none=True))

    def _failed(self, error: _Error) -> ModelError:
        failure = Failure(
            status=200,
            type=error.type,
            code=error.details.error_code if error.details else None,
            message=error.message,
            request_id=self.request_id,
        )
        return to_error(failure, self.estimate)

    def _known_stop_reason(self, reason: str) -> StopReason:
        try:
            return StopReason(reason)
        except ValueError:
            # A reason that was invented later: what the reply holds says how to go on.
            calls = any(isinstance(block, ToolUseBlock) for block in self._closed.values())
            return StopReason.TOOL_USE if calls else StopReason.END_TURN
