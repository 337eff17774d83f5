"""A reply as server-sent events, each with the output tokens that are billed once it is sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from cofounder.domain.json_types import JsonObject
from cofounder.domain.money import Usage
from cofounder.testing.provider.content import Content, Kind, Part, tokens

# At most this many deltas to a block, so that a long file costs no more than a short one.
_MAX_DELTAS = 32
_MIN_DELTA_CHARS = 24


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event's bytes, and the output tokens billed up to it."""

    data: bytes
    output_tokens: int


def encode(name: str, payload: JsonObject) -> bytes:
    """One server-sent event; `type` is put in front of the payload."""
    body = json.dumps({"type": name, **payload}, ensure_ascii=False)
    return f"event: {name}\ndata: {body}\n\n".encode()


def error_event(error_type: str, message: str) -> bytes:
    """The event with which a stream fails half-way."""
    return encode("error", {"error": {"type": error_type, "message": message}})


def reply_events(content: Content, *, message_id: str, model: str, usage: Usage) -> Iterator[Event]:
    """All events of a reply. `usage` is what the prompt cost; its output is a placeholder."""
    start: JsonObject = {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": usage.input_tokens,
            "cache_creation_input_tokens": usage.cache_write_tokens,
            "cache_read_input_tokens": usage.cache_read_tokens,
            "output_tokens": 1,
        },
    }
    yield Event(data=encode("message_start", {"message": start}), output_tokens=1)
    yield Event(data=encode("ping", {}), output_tokens=1)
    billed = 0
    for index, part in enumerate(content.parts):
        for event in _block_events(index, part):
            yield Event(data=event.data, output_tokens=max(1, billed + event.output_tokens))
        billed += tokens(part.body)
    billed = max(1, billed)
    delta = {"stop_reason": content.stop_reason.value, "stop_sequence": None}
    end = encode("message_delta", {"delta": delta, "usage": {"output_tokens": billed}})
    yield Event(data=end, output_tokens=billed)
    yield Event(data=encode("message_stop", {}), output_tokens=billed)


def _block_events(index: int, part: Part) -> Iterator[Event]:
    block = _opening(part)
    # Redacted thinking has no deltas: all of it is in the opening.
    sent = part.body if part.kind is Kind.REDACTED else ""
    opening = encode("content_block_start", {"index": index, "content_block": block})
    yield Event(data=opening, output_tokens=tokens(sent))
    for chunk in () if sent else _chunks(part.body):
        sent += chunk
        delta = encode("content_block_delta", {"index": index, "delta": _delta(part.kind, chunk)})
        yield Event(data=delta, output_tokens=tokens(sent))
    if part.kind is Kind.THINKING and part.whole:
        signature = {"type": "signature_delta", "signature": part.signature}
        delta = encode("content_block_delta", {"index": index, "delta": signature})
        yield Event(data=delta, output_tokens=tokens(sent))
    yield Event(data=encode("content_block_stop", {"index": index}), output_tokens=tokens(sent))


def _opening(part: Part) -> JsonObject:
    match part.kind:
        case Kind.THINKING:
            return {"type": "thinking", "thinking": "", "signature": ""}
        case Kind.REDACTED:
            return {"type": "redacted_thinking", "data": part.body}
        case Kind.TEXT:
            return {"type": "text", "text": ""}
        case Kind.TOOL_USE:
            return {
                "type": "tool_use",
                "id": part.tool_use_id,
                "name": part.tool_name,
                "input": {},
            }


def _delta(kind: Kind, chunk: str) -> JsonObject:
    match kind:
        case Kind.THINKING:
            return {"type": "thinking_delta", "thinking": chunk}
        case Kind.TOOL_USE:
            return {"type": "input_json_delta", "partial_json": chunk}
        case _:
            return {"type": "text_delta", "text": chunk}


def _chunks(text: str) -> Iterator[str]:
    size = max(_MIN_DELTA_CHARS, -(-len(text) // _MAX_DELTAS))
    for start in range(0, len(text), size):
        yield text[start : start + size]
