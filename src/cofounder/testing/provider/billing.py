"""What a call costs, reckoned without any of the service's own code.

Tokens are counted per block; cached ones are found as the provider finds them, by the
prefixes that ended at a breakpoint of an earlier request.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256

from cofounder.domain.money import Usage

CACHE_TTL_S = 300.0
# How many blocks before a breakpoint the provider looks for an earlier prefix.
LOOKBACK_BLOCKS = 20


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One block of the prompt, in the order in which the provider caches them."""

    data: bytes
    tokens: int
    breakpoint: bool


@dataclass(frozen=True, kw_only=True)
class BillRow:
    """One call that has to be paid for. A `cut` one is paid up to the cut."""

    provider_request_id: str
    model: str
    usage: Usage
    amount_usd_micros: int
    cut: bool
    conversation: str
    turn_index: int


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """What was counted of a prompt; `digest` is equal for equal prompts."""

    usage: Usage
    digest: str


class PromptCache:
    """The prefixes seen in the last five minutes. Reading one renews it."""

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._expires_at_s: dict[bytes, float] = {}

    def charge(self, model: str, segments: Sequence[Segment]) -> Prompt:
        """Count a prompt, and remember its prefixes up to each breakpoint."""
        now_s = self._monotonic_s()
        hashes: list[bytes] = []
        totals: list[int] = []
        digest, total = model.encode(), 0
        for segment in segments:
            digest = sha256(digest + segment.data).digest()
            total += segment.tokens
            hashes.append(digest)
            totals.append(total)
        breakpoints = [index for index, segment in enumerate(segments) if segment.breakpoint]
        hit = self._longest_hit(hashes, breakpoints, now_s)
        read = 0 if hit is None else totals[hit]
        cached = totals[breakpoints[-1]] if breakpoints else 0
        renewed = [*breakpoints, *([] if hit is None else [hit])]
        self._expires_at_s.update((hashes[index], now_s + CACHE_TTL_S) for index in renewed)
        usage = Usage(
            input_tokens=total - max(cached, read),
            cache_read_tokens=read,
            cache_write_tokens=max(0, cached - read),
        )
        return Prompt(usage=usage, digest=digest.hex())

    def _longest_hit(
        self, hashes: Sequence[bytes], breakpoints: Sequence[int], now_s: float
    ) -> int | None:
        for last in reversed(breakpoints):
            for index in range(last, max(-1, last - LOOKBACK_BLOCKS), -1):
                if self._expires_at_s.get(hashes[index], now_s) > now_s:
                    return index
        return None


def amount_usd_micros(model: str, usage: Usage) -> int:
    """The price by genai-prices, rounded once. Raises `LookupError` for an unknown model."""
    # Half a second to import, which whoever only plays a script in process is spared.
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    counted = Tokens(
        input_tokens=usage.input_tokens + read + written,
        cache_read_tokens=read,
        cache_write_tokens=written,
        output_tokens=usage.output_tokens,
    )
    price_usd = calc_price(counted, model, provider_id="anthropic").total_price
    return int((price_usd * 1_000_000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
