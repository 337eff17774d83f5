"""What calls cost, by the price list that comes with genai-prices and the operator's own.

The list is the installed package's snapshot; it is never fetched from anywhere.
"""

import difflib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from cofounder.domain.errors import UnknownModelError
from cofounder.domain.json_types import JsonObject, JsonValue
from cofounder.domain.money import Usage, micros_from_usd
from cofounder.ports.clock import Clock

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice, TieredPrices

    _ListedPrice: TypeAlias = Decimal | TieredPrices | None

_TOKENS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class TokenPrices:
    """Dollars per million tokens. `input` is for those that are not cached."""

    input: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write: Decimal

    def cost_usd(self, usage: Usage) -> Decimal:
        """The cost of a call, not rounded."""
        total = (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        )
        return total / _TOKENS


class GenaiPrices:
    """`ports.model.Prices`. `overrides` go first; the clock tells which price is in force."""

    def __init__(self, *, clock: Clock, overrides: Mapping[str, TokenPrices] | None = None) -> None:
        # Together these take most of a second, which a command that costs nothing is spared.
        from genai_prices import Usage as ListedUsage
        from genai_prices.data_snapshot import get_snapshot

        self._clock = clock
        self._overrides = dict(overrides or {})
        self._listed_usage = ListedUsage
        self._snapshot = get_snapshot()

    def check(self, model: str) -> None:
        """Raise `UnknownModelError`, with the way to name a price, when none is known."""
        self._prices(model)

    def cost_usd_micros(self, model: str, usage: Usage) -> int:
        """The true cost of a call that used `usage`."""
        prices = self._prices(model)
        if isinstance(prices, TokenPrices):
            return micros_from_usd(prices.cost_usd(usage))
        listed = self._listed_usage(
            # The list counts cached tokens as input too, with a price of their own.
            input_tokens=usage.prompt_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            output_tokens=usage.output_tokens,
        )
        return micros_from_usd(prices.calc_price(listed)["total_price"])

    def price_list(self, model: str) -> str:
        """The prices in force, as compact JSON in dollars per million tokens.

        A price that rises with the length of the prompt names its base and what is paid
        from how many tokens on.
        """
        prices = self._prices(model)
        if isinstance(prices, TokenPrices):
            named = {name: str(price) for name, price in asdict(prices).items()}
            return _compact(named)
        return _compact(
            {
                "input": _as_json(prices.input_mtok),
                "output": _as_json(prices.output_mtok),
                "cache_read": _as_json(prices.cache_read_mtok),
                "cache_write": _as_json(prices.cache_write_mtok),
            }
        )

    def _prices(self, model: str) -> "TokenPrices | ModelPrice":
        override = self._overrides.get(model)
        if override is not None:
            return override
        listed = self._listed(model)
        if listed is None or listed.input_mtok is None or listed.output_mtok is None:
            raise self._unknown(model)
        return _flat(listed) or listed

    def _listed(self, model: str) -> "ModelPrice | None":
        for provider in ("anthropic", None):
            try:
                _, found = self._snapshot.find_provider_model(model, None, provider, None)
            except LookupError:
                continue
            return found.get_prices(self._clock.now())
        return None

    def _unknown(self, model: str) -> UnknownModelError:
        listed = next(p for p in self._snapshot.providers if p.id == "anthropic")
        known = [*self._overrides, *(info.id for info in listed.models)]
        close = difflib.get_close_matches(model, known, n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        return UnknownModelError(
            f"No price is known for the model {model!r}, so its calls cannot be paid for.",
            field="model",
            cure=(
                f'Name its price in the settings file: [prices."{model}"] with input, output, '
                "cache_read and cache_write in dollars per million tokens (0 for a model that "
                f"costs nothing).{hint}"
            ),
        )


def _flat(listed: "ModelPrice") -> TokenPrices | None:
    """Four plain numbers, as most lists have: the list's own reckoning takes 0.1 ms a call."""
    input_usd, output_usd = listed.input_mtok, listed.output_mtok
    read_usd, write_usd = listed.cache_read_mtok, listed.cache_write_mtok
    if (
        isinstance(input_usd, Decimal)
        and isinstance(output_usd, Decimal)
        and isinstance(read_usd, Decimal)
        and isinstance(write_usd, Decimal)
    ):
        return TokenPrices(
            input=input_usd, output=output_usd, cache_read=read_usd, cache_write=write_usd
        )
    return None


def _compact(prices: JsonObject) -> str:
    return json.dumps(prices, separators=(",", ":"))


def _as_json(price: "_ListedPrice") -> JsonValue:
    if price is None or isinstance(price, Decimal):
        return None if price is None else str(price)
    return {"base": str(price.base), **{str(tier.start): str(tier.price) for tier in price.tiers}}
