"""Micro-dollars: rounded once, half up; shown to people."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cofounder.domain.money import MICROS_PER_USD, Usage, format_usd, micros_from_usd

amounts_usd = st.decimals(min_value=0, max_value=10**6, allow_nan=False, places=12)
HALF = Fraction(1, 2)


@given(amount=amounts_usd)
@example(amount=Decimal("0.0000005"))
@example(amount=Decimal("0.000000499999999999"))
def test_rounding_is_half_up(amount: Decimal) -> None:
    assert micros_from_usd(amount) == floor(Fraction(amount) * MICROS_PER_USD + HALF)


@given(amount=amounts_usd)
def test_a_refund_is_the_mirror_image(amount: Decimal) -> None:
    assert micros_from_usd(-amount) == -micros_from_usd(amount)


@given(micros=st.integers(min_value=-(10**15), max_value=10**15))
def test_whole_micros_stay_what_they_are(micros: int) -> None:
    assert micros_from_usd(Decimal(micros) / MICROS_PER_USD) == micros


@pytest.mark.parametrize(
    ("amount", "micros"),
    [
        ("1", 1_000_000),
        ("0.0000004", 0),
        ("0.0000005", 1),
        ("0.0000015", 2),
        ("0.0000025", 3),
        ("-0.0000005", -1),
        ("1234.5678905", 1_234_567_891),
    ],
)
def test_known_amounts(amount: str, micros: int) -> None:
    assert micros_from_usd(Decimal(amount)) == micros


def test_a_call_is_rounded_at_its_total_and_not_per_kind_of_token() -> None:
    kinds = [Decimal("0.0000004")] * 4
    assert micros_from_usd(sum(kinds, start=Decimal(0))) == 2
    assert sum(micros_from_usd(kind) for kind in kinds) == 0


@pytest.mark.parametrize(
    ("micros", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.0000"),
        (100, "$0.0001"),
        (1_500, "$0.0015"),
        (250_000, "$0.2500"),
        (1_000_000, "$1.00"),
        (1_230_000, "$1.23"),
        (12_345_678, "$12.35"),
        (1_000_000_000_000, "$1000000.00"),
        (-1, "-$0.0000"),
        (-2_500, "-$0.0025"),
        (-1_500_000, "-$1.50"),
    ],
)
def test_known_formats(micros: int, shown: str) -> None:
    assert format_usd(micros) == shown


@given(micros=st.integers(min_value=-(10**15), max_value=10**15))
def test_what_is_shown_is_close_to_the_truth(micros: int) -> None:
    shown = format_usd(micros)
    assert shown.startswith("-$" if micros < 0 else "$")
    off = abs(Decimal(shown.replace("$", "")) * MICROS_PER_USD - micros)
    assert off <= (5_000 if abs(micros) >= MICROS_PER_USD else 50)


def test_prompt_tokens_are_all_that_was_read() -> None:
    usage = Usage(input_tokens=1, output_tokens=20, cache_read_tokens=300, cache_write_tokens=4000)
    assert usage.prompt_tokens == 4301
    assert Usage().prompt_tokens == 0
