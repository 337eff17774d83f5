"""What every `ports.model.Prices` does, and what the real list knows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price

from cofounder.adapters.prices import GenaiPrices, TokenPrices
from cofounder.domain.errors import UnknownModelError
from cofounder.domain.money import Usage, micros_from_usd
from cofounder.ports.model import Prices
from cofounder.testing.prices import FlatPrices

LOCAL = "my-own-model"
FREE = "free-model"
OWN = TokenPrices(
    input=Decimal(3), output=Decimal(15), cache_read=Decimal("0.3"), cache_write=Decimal("3.75")
)
NOTHING = TokenPrices(
    input=Decimal(0), output=Decimal(0), cache_read=Decimal(0), cache_write=Decimal(0)
)
CALL = Usage(
    input_tokens=1_001, output_tokens=203, cache_read_tokens=30_007, cache_write_tokens=411
)


@dataclass(frozen=True)
class FixedClock:
    instant: datetime

    def now(self) -> datetime:
        return self.instant

    def monotonic_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"prices do not wait {seconds} s")


def listed(at: datetime = datetime(2026, 11, 1, tzinfo=UTC)) -> GenaiPrices:
    return GenaiPrices(clock=FixedClock(at), overrides={LOCAL: OWN, FREE: NOTHING})


Making: TypeAlias = Callable[[], Prices]
MAKINGS: list[Making] = [lambda: FlatPrices(models=[LOCAL]), listed]


@pytest.fixture(params=MAKINGS, ids=["flat", "listed"])
def prices(request: pytest.FixtureRequest) -> Prices:
    making: Making = request.param
    return making()


def test_a_call_is_rounded_once_at_its_total(prices: Prices) -> None:
    # 3003 + 3045 + 9002.1 + 1541.25 = 16 591.35
    assert prices.cost_usd_micros(LOCAL, CALL) == 16_591
    # 0.3 + 3.75 is 4.05, where each alone would make 0 + 4; half a micro-dollar goes up.
    assert prices.cost_usd_micros(LOCAL, Usage(cache_read_tokens=1, cache_write_tokens=1)) == 4
    assert prices.cost_usd_micros(LOCAL, Usage(cache_read_tokens=5)) == 2
    assert prices.cost_usd_micros(LOCAL, Usage()) == 0


def test_an_unknown_model_is_refused_with_a_cure(prices: Prices) -> None:
    for ask in (prices.check, prices.price_list, lambda m: prices.cost_usd_micros(m, CALL)):
        with pytest.raises(UnknownModelError) as caught:
            ask("nobodys-model")
        assert caught.value.field == "model"
        assert caught.value.cure


def test_the_ledger_can_keep_the_prices(prices: Prices) -> None:
    kept = prices.price_list(LOCAL)
    expected = {"input": "3", "output": "15", "cache_read": "0.3", "cache_write": "3.75"}
    assert json.loads(kept) == expected
    assert " " not in kept


def test_a_known_model_is_accepted(prices: Prices) -> None:
    prices.check(LOCAL)


def test_a_model_may_cost_nothing_if_that_was_said() -> None:
    assert listed().cost_usd_micros(FREE, CALL) == 0


def test_the_cure_names_the_setting_and_names_alike() -> None:
    with pytest.raises(UnknownModelError) as caught:
        listed().check("claude-sonet-5")
    assert '[prices."claude-sonet-5"]' in caught.value.cure
    assert "claude-sonnet-5" in caught.value.cure.split("Did you mean")[1]


# Plain prices, prices by length of the prompt, no prices for the cache, another provider.
MODELS = ["claude-sonnet-5", "claude-haiku-5-5", "claude-sonnet-4-5", "claude-2", "gpt-5"]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("cached", [0, 100_000, 900_000])
def test_the_list_is_followed_to_the_micro_dollar(model: str, cached: int) -> None:
    usage = Usage(
        input_tokens=777, output_tokens=333, cache_read_tokens=cached, cache_write_tokens=55
    )
    counted = ListedUsage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    at = datetime(2026, 11, 1, tzinfo=UTC)
    provider = None if model == "gpt-5" else "anthropic"
    theirs = calc_price(counted, model, provider_id=provider, genai_request_timestamp=at)
    assert listed(at).cost_usd_micros(model, usage) == micros_from_usd(theirs.total_price)


def test_a_price_that_grows_with_the_prompt_is_kept_with_its_steps() -> None:
    kept = json.loads(listed().price_list("claude-sonnet-4-5"))
    assert kept["input"] == {"base": "3", "200000": "6"}


def test_the_price_is_that_of_the_day() -> None:
    long_prompt = Usage(input_tokens=300_000)
    before = listed(datetime(2026, 3, 1, tzinfo=UTC))
    since = listed(datetime(2026, 4, 1, tzinfo=UTC))
    assert before.cost_usd_micros("claude-sonnet-4-6", long_prompt) == 1_800_000
    assert since.cost_usd_micros("claude-sonnet-4-6", long_prompt) == 900_000


def test_an_own_price_goes_before_the_list() -> None:
    own = GenaiPrices(
        clock=FixedClock(datetime(2026, 11, 1, tzinfo=UTC)),
        overrides={"claude-sonnet-5": NOTHING},
    )
    assert own.cost_usd_micros("claude-sonnet-5", CALL) == 0
