"""What a call may cost before it is made, and what stands in the ledger after it."""

from dataclasses import replace

from cofounder.domain.budget import WIND_DOWN_ITERATIONS
from cofounder.domain.errors import ModelError, ModelStreamCutError, UnknownModelError
from cofounder.domain.ids import SessionId
from cofounder.domain.money import Usage
from cofounder.ports.clock import Clock
from cofounder.ports.model import ModelReply, Prices
from cofounder.ports.store import EntryKind, LedgerEntry, ModelCallRow

# A reply shorter than this is not worth its prompt: the session sleeps instead.
LEAST_REPLY_TOKENS = 1024
# How much a conversation grows by in a closing iteration, tool results included.
_CLOSING_GROWTH_TOKENS = 1500


def affordable_tokens(
    prices: Prices, model: str, *, prompt_tokens: int, max_tokens: int, free_usd_micros: int
) -> int | None:
    """The longest reply whose worst case fits into `free_usd_micros`, None below the floor.

    The worst case writes the whole prompt into the provider's cache, its dearest way.
    """

    def cost(tokens: int) -> int:
        return prices.cost_usd_micros(model, worst_usage(prompt_tokens, tokens))

    if cost(max_tokens) <= free_usd_micros:
        return max_tokens
    shortest = min(LEAST_REPLY_TOKENS, max_tokens)
    if cost(shortest) > free_usd_micros:
        return None
    # Cost grows with the length, so that halving the range finds the longest that fits.
    fits, too_long = shortest, max_tokens
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if cost(middle) <= free_usd_micros:
            fits = middle
        else:
            too_long = middle
    return fits


def worst_usage(prompt_tokens: int, max_tokens: int) -> Usage:
    """Everything is written to the cache and the reply is as long as it may be."""
    return Usage(cache_write_tokens=prompt_tokens, output_tokens=max_tokens)


def closing_usd_micros(prices: Prices, model: str, prompt_tokens: int) -> int:
    """What has to be free when the closing iterations begin.

    One of them at its worst, because that much is reserved, the others at what a call
    costs whose prompt the provider has cached.
    """
    prompt = prompt_tokens + _CLOSING_GROWTH_TOKENS
    worst = worst_usage(prompt, LEAST_REPLY_TOKENS)
    cached = Usage(cache_read_tokens=prompt, output_tokens=LEAST_REPLY_TOKENS)
    others = (WIND_DOWN_ITERATIONS - 1) * prices.cost_usd_micros(model, cached)
    return prices.cost_usd_micros(model, worst) + others


class Bookkeeper:
    """Writes ledger entries for calls."""

    def __init__(self, *, clock: Clock, prices: Prices) -> None:
        """Prices are those of the moment of settling."""
        self._clock, self._prices = clock, prices

    def for_reply(self, call: ModelCallRow, reply: ModelReply) -> LedgerEntry:
        """What the provider counted."""
        entry = self._entry(call, EntryKind.CALL, reply.usage)
        return replace(entry, provider_request_id=reply.provider_request_id)

    def for_failure(self, call: ModelCallRow, error: ModelError) -> LedgerEntry:
        """What a failed call may have cost.

        A refused call costs nothing. A cut one costs what was counted so far; when nothing
        was heard at all, the whole reservation.
        """
        if error.usage is not None:
            return self._entry(call, EntryKind.ESTIMATE, error.usage)
        if isinstance(error, ModelStreamCutError):
            return self.for_lost(call)
        return self._entry(call, EntryKind.CALL, Usage())

    def for_lost(self, call: ModelCallRow) -> LedgerEntry:
        """A call whose worker died: the worst case, since nobody knows better."""
        try:
            price = self._prices.price_list(call.model)
        except UnknownModelError:
            # Taken from the list since; what was reserved has to be given back all the same.
            price = None
        return replace(
            self._unpriced(call, EntryKind.ESTIMATE, call.worst_usage),
            amount_usd_micros=call.reserved_usd_micros,
            price=price,
        )

    def _entry(self, call: ModelCallRow, kind: EntryKind, usage: Usage) -> LedgerEntry:
        return replace(
            self._unpriced(call, kind, usage),
            amount_usd_micros=self._prices.cost_usd_micros(call.model, usage),
            price=self._prices.price_list(call.model),
        )

    def _unpriced(self, call: ModelCallRow, kind: EntryKind, usage: Usage) -> LedgerEntry:
        return LedgerEntry(
            request_id=call.request_id,
            owner_id=call.owner_id,
            session_id=SessionId(call.session_id),
            kind=kind,
            amount_usd_micros=0,
            model=call.model,
            provider_request_id=None,
            usage=usage,
            price=None,
            at=self._clock.now(),
        )
