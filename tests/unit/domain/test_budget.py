"""One budget day: allowance, ceiling, thresholds."""

from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cofounder.domain.budget import (
    CEILING_PCT,
    GRACEFUL_PCT,
    WIND_DOWN_ITERATIONS,
    Plan,
    calc_daily_budget,
    can_work,
    get_budget_percentage,
    is_at_graceful_threshold,
    is_runaway,
    is_time_to_wind_down,
    typical_ceiling_usd_micros,
)
from cofounder.domain.schedule import MonthlyCalendar
from tests.unit.domain.samples import OWNER, day_budget, micros

any_amount = st.integers(min_value=-(10**12), max_value=10**12)
days = st.integers(min_value=1, max_value=31)


def test_the_thresholds_of_the_contract() -> None:
    assert GRACEFUL_PCT == 90
    assert CEILING_PCT == 110
    assert WIND_DOWN_ITERATIONS >= 1


@given(left=micros, days_left=days)
def test_equal_shares_never_add_up_to_more_than_is_left(left: int, days_left: int) -> None:
    share = calc_daily_budget(left, days_left)
    assert share * days_left <= left < (share + 1) * days_left


@pytest.mark.parametrize(
    ("left", "days_left", "share"),
    [
        (30_000_000, 30, 1_000_000),
        (10, 3, 3),
        (2, 3, 0),
        (10, 1, 10),
        (10, 0, 10),
        (10, -5, 10),
        (0, 5, 0),
        (-7, 5, 0),
    ],
)
def test_known_shares(left: int, days_left: int, share: int) -> None:
    assert calc_daily_budget(left, days_left) == share


@given(spent=any_amount, allowance=any_amount)
@example(spent=0, allowance=0)
@example(spent=5, allowance=-1)
def test_budget_pct_is_floored_and_clamped(spent: int, allowance: int) -> None:
    pct = get_budget_percentage(spent, allowance)
    assert 0 <= pct <= 100
    if allowance <= 0:
        assert pct == 100
    elif 0 <= spent < allowance:
        assert pct <= Fraction(100 * spent, allowance) < pct + 1
        assert pct < 100
    else:
        assert pct == (0 if spent < 0 else 100)


@given(spent=micros, more=micros, allowance=any_amount)
def test_budget_pct_never_falls_when_more_is_spent(spent: int, more: int, allowance: int) -> None:
    before = get_budget_percentage(spent, allowance)
    assert before <= get_budget_percentage(spent + more, allowance)


@given(spent=micros, allowance=micros)
@example(spent=0, allowance=0)
@example(spent=899_999, allowance=1_000_000)
@example(spent=900_000, allowance=1_000_000)
def test_winding_down_begins_at_ninety_percent(spent: int, allowance: int) -> None:
    winds_down = is_at_graceful_threshold(spent, allowance)
    assert winds_down == (get_budget_percentage(spent, allowance) >= 90)


def test_the_breaker_opens_above_the_ceiling_only() -> None:
    assert not is_runaway(0, 0)
    assert not is_runaway(1_100_000, 1_100_000)
    assert is_runaway(1_100_001, 1_100_000)


@given(base=micros, top_up=micros, left=any_amount)
def test_the_ceiling_stays_within_the_cycle(base: int, top_up: int, left: int) -> None:
    ceiling = day_budget(base=base, top_up=top_up, left=left).ceiling_usd_micros
    assert 0 <= ceiling <= max(0, left) + top_up
    assert 100 * ceiling <= 110 * (base + top_up)


@given(left=any_amount, days_left=days, top_up=micros)
def test_the_ceiling_leaves_room_for_the_whole_allowance(
    left: int, days_left: int, top_up: int
) -> None:
    budget = day_budget(base=calc_daily_budget(left, days_left), top_up=top_up, left=left)
    assert budget.allowance_usd_micros <= budget.ceiling_usd_micros


@given(base=micros, left=micros, spent=micros, reserved=micros, top_up=micros)
def test_what_is_free_fits_below_the_ceiling(
    base: int, left: int, spent: int, reserved: int, top_up: int
) -> None:
    budget = day_budget(base=base, left=left, spent=spent, reserved=reserved, top_up=top_up)
    free, ceiling = budget.free_usd_micros, budget.ceiling_usd_micros
    assert free >= 0
    assert free == 0 or spent + reserved + free == ceiling
    assert (free > 0) == (spent + reserved < ceiling)


def test_no_allowance_means_no_call() -> None:
    budget = day_budget(base=0, top_up=0, left=5_000_000)
    assert budget.allowance_usd_micros == 0
    assert budget.ceiling_usd_micros == 0
    assert budget.free_usd_micros == 0
    assert budget.budget_pct == 100
    assert budget.at_graceful_threshold
    assert not budget.runaway


def test_a_day_of_one_dollar_with_a_top_up() -> None:
    budget = day_budget(
        base=1_000_000, top_up=500_000, left=9_000_000, spent=1_350_000, reserved=100_000
    )
    assert budget.allowance_usd_micros == 1_500_000
    assert budget.ceiling_usd_micros == 1_650_000
    assert budget.free_usd_micros == 200_000
    assert budget.budget_pct == 90
    assert budget.at_graceful_threshold
    assert not budget.runaway


def test_a_top_up_ends_the_winding_down() -> None:
    spent = day_budget(base=1_000_000, left=1_000_000, spent=950_000)
    topped_up = day_budget(base=1_000_000, top_up=1_000_000, left=1_000_000, spent=950_000)
    assert spent.at_graceful_threshold
    assert not topped_up.at_graceful_threshold


def test_on_the_last_day_the_ceiling_is_what_the_cycle_has_left() -> None:
    budget = day_budget(base=1_000_000, left=1_000_000, spent=1_000_001)
    assert budget.ceiling_usd_micros == 1_000_000
    assert budget.runaway
    assert budget.free_usd_micros == 0


@pytest.mark.parametrize(
    ("spent", "reserved", "closing", "due"),
    [
        (90, 0, 0, True),
        (89, 0, 0, False),
        (50, 0, 60, False),
        (51, 0, 60, True),
        (51, 0, 59, False),
        (60, 0, 49, False),
        (50, 20, 50, True),
        (49, 0, 1000, False),
    ],
)
def test_closing_begins_at_90_pct_or_while_closing_steps_can_still_be_paid(
    spent: int, reserved: int, closing: int, *, due: bool
) -> None:
    budget = day_budget(base=100, left=1000, spent=spent, reserved=reserved)
    assert budget.ceiling_usd_micros == 110
    assert is_time_to_wind_down(budget, closing) is due


@pytest.mark.parametrize(
    ("spent", "needs", "works"), [(0, 110, True), (0, 111, False), (89, 21, True), (90, 0, False)]
)
def test_waking_makes_sense_when_a_step_can_be_paid(spent: int, needs: int, *, works: bool) -> None:
    assert can_work(day_budget(base=100, left=1000, spent=spent), needs) is works


def test_the_ceiling_of_an_even_day() -> None:
    plan = Plan(
        owner_id=OWNER, cycle_amount_usd_micros=3000, calendar=MonthlyCalendar(renewal_day=1)
    )
    assert typical_ceiling_usd_micros(plan, datetime(2026, 4, 30, 23, tzinfo=UTC)) == 110
    assert typical_ceiling_usd_micros(plan, datetime(2026, 2, 28, tzinfo=UTC)) == 117
