"""How long a reply may be, for the money that is free."""

from hypothesis import given
from hypothesis import strategies as st

from cofounder.domain.money import Usage
from cofounder.services.accounting import (
    LEAST_REPLY_TOKENS,
    affordable_tokens,
    closing_usd_micros,
    worst_usage,
)
from cofounder.testing.prices import FlatPrices

PRICES = FlatPrices()
MODEL = "any"


@given(prompt=st.integers(0, 200_000), most=st.integers(1, 64_000), free=st.integers(0, 10_000_000))
def test_the_longest_reply_that_fits(prompt: int, most: int, free: int) -> None:
    tokens = affordable_tokens(
        PRICES, MODEL, prompt_tokens=prompt, max_tokens=most, free_usd_micros=free
    )

    def cost(length: int) -> int:
        return PRICES.cost_usd_micros(MODEL, worst_usage(prompt, length))

    if tokens is None:
        assert cost(min(most, LEAST_REPLY_TOKENS)) > free
        return
    assert min(most, LEAST_REPLY_TOKENS) <= tokens <= most
    assert cost(tokens) <= free
    assert tokens == most or cost(tokens + 1) > free


@given(prompt=st.integers(0, 200_000))
def test_closing_needs_more_than_one_call_at_its_worst(prompt: int) -> None:
    least = PRICES.cost_usd_micros(MODEL, worst_usage(prompt, LEAST_REPLY_TOKENS))
    assert closing_usd_micros(PRICES, MODEL, prompt) > least


def test_the_worst_case_is_all_of_the_prompt_written_to_the_cache() -> None:
    assert worst_usage(10, 20) == Usage(cache_write_tokens=10, output_tokens=20)
