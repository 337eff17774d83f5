"""The language model: one call in, one complete reply out, or a typed failure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cofounder.domain.json_types import JsonObject
from cofounder.domain.money import Usage
from cofounder.domain.transcript import Block, Message, StopReason


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A tool as the model sees it; `input_schema` is JSON Schema."""

    name: str
    description: str
    input_schema: JsonObject


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """One call. `system` and `tools` are the stable prefix and are cached by the provider."""

    model: str
    system: str
    tools: tuple[ToolSpec, ...]
    messages: Sequence[Message]
    max_tokens: int


@dataclass(frozen=True, kw_only=True)
class ModelReply:
    """A reply whose terminal event was seen.

    Tool input is parsed from closed blocks only. `provider_request_id` is the provider's.
    """

    blocks: tuple[Block, ...]
    stop_reason: StopReason
    usage: Usage
    provider_request_id: str | None


class Model(Protocol):
    """A provider's chat model."""

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Make one attempt; retries are the caller's, because each attempt is paid for.

        Raises a `domain.errors.ModelError`: `ModelRateLimitedError` and
        `ModelOverloadedError` with `retry_after_s` where it was given,
        `ModelStreamCutError` with the usage seen so far, `ModelCredentialsError`,
        `ModelRejectedError`.
        """
        ...

    def prompt_bytes(self, request: ModelRequest) -> int:
        """Length of the request's text in UTF-8 bytes, pictures counted as 4 bytes a token.

        The worst-case price of the prompt is computed from it.
        """
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...


class Prices(Protocol):
    """What calls cost. Values are in whole micro-dollars, rounded once per call."""

    def check(self, model: str) -> None:
        """Raise `UnknownModelError`, with the way to name a price, when none is known."""
        ...

    def cost_usd_micros(self, model: str, usage: Usage) -> int:
        """The true cost of a call that used `usage`."""
        ...

    def price_list(self, model: str) -> str:
        """The prices used, as compact JSON in dollars per million tokens, for the ledger."""
        ...
