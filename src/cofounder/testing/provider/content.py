"""A turn as the content of a reply: signed, numbered, and cut at the token limit."""

import base64
import hmac
import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from cofounder.domain.transcript import StopReason
from cofounder.testing.provider.script import Turn

# Constant, so that a conversation goes on after the provider was started anew.
_SIGNING_KEY = b"strict-provider"


class Kind(StrEnum):
    """The content blocks of a reply, by the provider's names."""

    THINKING = "thinking"
    REDACTED = "redacted_thinking"
    TEXT = "text"
    TOOL_USE = "tool_use"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One block. `body` is its text, its data or its input as JSON.

    It is not `whole` when the token limit cut it off.
    """

    kind: Kind
    body: str
    whole: bool = True
    tool_use_id: str = ""
    tool_name: str = ""

    @property
    def signature(self) -> str:
        """What the provider knows its own thinking by; none under a cut one."""
        return sign(self.body) if self.whole else ""


@dataclass(frozen=True, kw_only=True)
class Content:
    """All blocks of a reply and why it stopped."""

    parts: tuple[Part, ...]
    stop_reason: StopReason

    @property
    def thoughts(self) -> tuple[str, ...]:
        """Signature or data of each thinking block, in order."""
        return tuple(
            part.signature if part.kind is Kind.THINKING else part.body
            for part in self.parts
            if part.kind in {Kind.THINKING, Kind.REDACTED}
        )


def sign(thinking: str) -> str:
    """The signature of a thinking text."""
    digest = hmac.digest(_SIGNING_KEY, thinking.encode("utf-8", "replace"), "sha256")
    return base64.b64encode(digest).decode("ascii")


def seal(text: str) -> str:
    """The data of a redacted thinking block."""
    return f"{base64.b64encode(text.encode()).decode('ascii')}.{sign(text)}"


def sealed(data: str) -> bool:
    """Whether the data of a redacted thinking block came from here."""
    text, _, signature = data.partition(".")
    try:
        return signature == sign(base64.b64decode(text, validate=True).decode())
    except ValueError:
        return False


def tokens(text: str) -> int:
    """The tokens of one block: a quarter of its bytes, rounded up."""
    return (len(text.encode("utf-8", "replace")) + 3) // 4


def compose(turn: Turn, *, seed: str, max_tokens: int) -> Content:
    """The reply to one request. Equal seeds give equal tool ids.

    A reply that asks to stop at `max_tokens` loses the second half of its last tool call,
    as a real one would.
    """
    parts = _parts(turn, seed)
    stop_reason = turn.stop_reason or _implied(turn)
    if stop_reason is StopReason.MAX_TOKENS and turn.tools:
        last = parts[-1]
        parts[-1] = _cut(last, len(last.body) // 2)
    kept: list[Part] = []
    left = max_tokens
    for part in parts:
        if tokens(part.body) > left:
            kept.append(_cut(part, 4 * left))
            return Content(parts=tuple(kept), stop_reason=StopReason.MAX_TOKENS)
        kept.append(part)
        left -= tokens(part.body)
    return Content(parts=tuple(kept), stop_reason=stop_reason)


def _parts(turn: Turn, seed: str) -> list[Part]:
    parts: list[Part] = []
    if turn.think is not None:
        parts.append(Part(kind=Kind.THINKING, body=turn.think))
    if turn.redacted is not None:
        parts.append(Part(kind=Kind.REDACTED, body=seal(turn.redacted)))
    if turn.say:
        parts.append(Part(kind=Kind.TEXT, body=turn.say))
    for index, call in enumerate(turn.tools):
        parts.append(
            Part(
                kind=Kind.TOOL_USE,
                body=json.dumps(call.input, ensure_ascii=False),
                tool_use_id=f"toolu_{sha256(f'{seed}:{index}'.encode()).hexdigest()[:24]}",
                tool_name=call.name,
            )
        )
    return parts


def _implied(turn: Turn) -> StopReason:
    return StopReason.TOOL_USE if turn.tools else StopReason.END_TURN


def _cut(part: Part, length_bytes: int) -> Part:
    body = part.body.encode()[:length_bytes].decode("utf-8", "ignore")
    return Part(
        kind=part.kind,
        body=body,
        whole=False,
        tool_use_id=part.tool_use_id,
        tool_name=part.tool_name,
    )
