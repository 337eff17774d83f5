"""Money in whole micro-dollars (1 USD = 1 000 000), and what a model call used."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

MICROS_PER_USD = 1_000_000


def micros_from_usd(amount_usd: Decimal) -> int:
    """Whole micro-dollars for an amount in dollars, rounded half up.

    A call is rounded once, at its total, never per kind of token.
    """
    return int((amount_usd * MICROS_PER_USD).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def format_usd(micros: int) -> str:
    """Micro-dollars for people: cents from a dollar up, four places below it."""
    sign = "-" if micros < 0 else ""
    amount = Decimal(abs(micros)) / MICROS_PER_USD
    return f"{sign}${amount:.2f}" if amount >= 1 or amount == 0 else f"{sign}${amount:.4f}"


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Tokens of one model call. `input_tokens` leaves out the cached ones."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All tokens that were read, cached or not."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens


@dataclass(frozen=True, kw_only=True)
class CallCost:
    """What a call costs, and the price list it was computed with.

    `price` names each price in dollars per million tokens, as kept in the ledger row.
    """

    amount_usd_micros: int
    price: str
