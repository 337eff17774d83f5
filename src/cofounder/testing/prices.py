"""`ports.model.Prices` with one price list for every model."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from cofounder.domain.errors import UnknownModelError
from cofounder.domain.money import Usage, micros_from_usd

_TOKENS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class FlatPrices:
    """Dollars per million tokens, the same for each of the `models` (for any, if None)."""

    input: Decimal = Decimal(3)
    output: Decimal = Decimal(15)
    cache_read: Decimal = Decimal("0.3")
    cache_write: Decimal = Decimal("3.75")
    models: Collection[str] | None = None

    def check(self, model: str) -> None:
        """Raise `UnknownModelError` for a model that is not in the list."""
        if self.models is not None and model not in self.models:
            raise UnknownModelError(
                f"No price is known for the model {model!r}.",
                field="model",
                cure=f"Add it to FlatPrices(models=…), which knows {', '.join(self.models)}.",
            )

    def cost_usd_micros(self, model: str, usage: Usage) -> int:
        """The cost of a call that used `usage`."""
        self.check(model)
        total = (
            self.input * usage.input_tokens
            + self.output * usage.output_tokens
            + self.cache_read * usage.cache_read_tokens
            + self.cache_write * usage.cache_write_tokens
        )
        return micros_from_usd(total / _TOKENS)

    def price_list(self, model: str) -> str:
        """The prices as compact JSON."""
        self.check(model)
        prices = {
            "input": str(self.input),
            "output": str(self.output),
            "cache_read": str(self.cache_read),
            "cache_write": str(self.cache_write),
        }
        return json.dumps(prices, separators=(",", ":"))
