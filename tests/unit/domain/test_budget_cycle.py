"""Many budget days in a row: what is not spent comes back, and a cycle is never overspent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from cofounder.domain.budget import DayBudget, Plan, calc_daily_budget
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar
from tests.unit.domain.samples import NOON, OWNER, days_of_cycle, instants, micros

fixed_plans = st.builds(
    Plan,
    owner_id=st.just(OWNER),
    cycle_amount_usd_micros=micros,
    calendar=st.builds(
        FixedCalendar,
        anchor=instants,
        day_s=st.just(20.0),
        days_per_cycle=st.integers(min_value=1, max_value=40),
    ),
)
monthly_plans = st.builds(
    Plan,
    owner_id=st.just(OWNER),
    cycle_amount_usd_micros=micros,
    calendar=st.builds(
        MonthlyCalendar,
        renewal_day=st.integers(min_value=1, max_value=31),
        time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo"]),
    ),
)
plans = st.one_of(fixed_plans, monthly_plans)
shares = st.lists(st.integers(min_value=0, max_value=1000), min_size=40, max_size=40)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What happens on one day: `spend` says how much of a day's budget is used."""

    top_up_usd_micros: int
    spend: Callable[[DayBudget], int]


def live_through(plan: Plan, now: datetime, choices: Sequence[Choice]) -> list[DayBudget]:
    """Each day of the cycle as it stands at its end, one choice a day."""
    done: list[DayBudget] = []
    for day, choice in zip(days_of_cycle(plan.calendar, now), choices, strict=False):
        left = plan.cycle_amount_usd_micros
        left += sum(d.top_up_usd_micros - d.spent_usd_micros for d in done)
        begun = DayBudget(
            owner_id=plan.owner_id,
            day=day,
            base_usd_micros=calc_daily_budget(left, plan.calendar.days_left(day.start)),
            top_up_usd_micros=choice.top_up_usd_micros,
            cycle_left_usd_micros=left,
            spent_usd_micros=0,
            reserved_usd_micros=0,
        )
        done.append(replace(begun, spent_usd_micros=choice.spend(begun)))
    return done


def of_allowance(permille: int, top_up: int = 0) -> Choice:
    """Spend that share of the allowance."""
    return Choice(
        top_up_usd_micros=top_up, spend=lambda day: day.allowance_usd_micros * permille // 1000
    )


def up_to_ceiling(permille: int, top_up: int = 0) -> Choice:
    """Spend that share of the ceiling."""
    return Choice(
        top_up_usd_micros=top_up, spend=lambda day: day.ceiling_usd_micros * permille // 1000
    )


def spent_in(days: Sequence[DayBudget]) -> int:
    """Micro-dollars spent on all the days."""
    return sum(day.spent_usd_micros for day in days)


@given(plan=plans, now=instants, permille=shares)
def test_what_is_not_spent_is_divided_again(plan: Plan, now: datetime, permille: list[int]) -> None:
    days = live_through(plan, now, [of_allowance(share) for share in permille])
    before_last, last = days[:-1], days[-1]
    assert spent_in(days) <= plan.cycle_amount_usd_micros
    assert last.allowance_usd_micros == plan.cycle_amount_usd_micros - spent_in(before_last)
    allowances = [day.allowance_usd_micros for day in days]
    assert allowances == sorted(allowances)


@given(plan=plans, now=instants)
def test_who_spends_each_allowance_spends_the_cycle_evenly(plan: Plan, now: datetime) -> None:
    days = live_through(plan, now, [of_allowance(1000)] * 40)
    allowances = [day.allowance_usd_micros for day in days]
    assert sum(allowances) == spent_in(days) == plan.cycle_amount_usd_micros
    assert max(allowances) - min(allowances) <= 1


@given(plan=plans, now=instants)
def test_nothing_spent_leaves_everything_for_the_last_day(plan: Plan, now: datetime) -> None:
    days = live_through(plan, now, [of_allowance(0)] * 40)
    assert days[-1].allowance_usd_micros == plan.cycle_amount_usd_micros


@given(plan=plans, now=instants, permille=shares, top_ups=st.lists(micros, min_size=40))
def test_going_to_the_ceiling_every_day_never_overspends_the_cycle(
    plan: Plan, now: datetime, permille: list[int], top_ups: list[int]
) -> None:
    choices = [up_to_ceiling(s, top_up) for s, top_up in zip(permille, top_ups, strict=False)]
    days = live_through(plan, now, choices)
    granted = plan.cycle_amount_usd_micros + sum(day.top_up_usd_micros for day in days)
    assert spent_in(days) <= granted
    assert all(day.base_usd_micros >= 0 for day in days)
    assert not any(day.runaway for day in days)


@given(plan=fixed_plans, over=micros)
def test_a_price_surprise_is_taken_from_the_days_that_follow(plan: Plan, over: int) -> None:
    surprise = Choice(top_up_usd_micros=0, spend=lambda day: day.ceiling_usd_micros + over)
    days = live_through(plan, NOON, [surprise, *[of_allowance(1000)] * 39])
    first, following = days[0], days[1:]
    assert first.runaway == (over > 0)
    left = max(0, plan.cycle_amount_usd_micros - first.spent_usd_micros)
    assert spent_in(following) == (left if following else 0)
    assert all(day.allowance_usd_micros >= 0 for day in following)


def test_a_day_off_makes_the_others_richer() -> None:
    plan = Plan(
        owner_id=OWNER,
        cycle_amount_usd_micros=30_000_000,
        calendar=FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=30),
    )
    days = live_through(plan, NOON, [of_allowance(1000), of_allowance(0), of_allowance(500)])
    assert [day.allowance_usd_micros for day in days] == [1_000_000, 1_000_000, 1_035_714]


def test_an_unspent_top_up_is_not_lost() -> None:
    plan = Plan(
        owner_id=OWNER,
        cycle_amount_usd_micros=3_000_000,
        calendar=FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=3),
    )
    days = live_through(plan, NOON, [of_allowance(0, top_up=3_000_000), of_allowance(0)])
    assert [day.allowance_usd_micros for day in days] == [4_000_000, 3_000_000]
