"""How a budget day begins: its share, and a calendar that was changed in the middle of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.domain.budget import DayBudget, Plan, begin_day, is_out_of_reach, next_chance
from cofounder.domain.schedule import MonthlyCalendar
from tests.unit.domain.samples import OWNER

NOW = datetime(2026, 4, 10, 15, 30, tzinfo=UTC)
ZONES = ("UTC", "Asia/Tokyo", "Europe/Berlin", "Pacific/Kiritimati", "America/Anchorage")


def plan(zone: str = "UTC", amount: int = 3000) -> Plan:
    return Plan(
        owner_id=OWNER,
        cycle_amount_usd_micros=amount,
        calendar=MonthlyCalendar(renewal_day=1, time_zone=zone),
    )


def test_the_first_day_gets_an_even_share() -> None:
    first = begin_day(plan(), datetime(2026, 4, 1, 0, tzinfo=UTC), [])
    assert first.base_usd_micros == first.allowance_usd_micros == 100
    assert first.cycle_left_usd_micros == 3000
    assert first.committed_usd_micros == 0


def test_what_was_not_spent_and_what_was_added_is_divided_again() -> None:
    yesterday = begin_day(plan(), datetime(2026, 4, 9, tzinfo=UTC), [])
    yesterday = replace(
        yesterday, spent_usd_micros=800, reserved_usd_micros=100, top_up_usd_micros=30
    )
    today = begin_day(plan(), NOW, [yesterday])
    assert today.cycle_left_usd_micros == 3000 + 30 - 900
    assert today.base_usd_micros == 2130 // 21


@given(spent=st.integers(0, 200), zones=st.permutations(ZONES))
def test_another_time_zone_is_not_another_allowance(spent: int, zones: list[str]) -> None:
    days: list[DayBudget] = []
    allowed = 0
    for zone in zones:
        day = begin_day(
            plan(zone), NOW, [d for d in days if d.day != plan(zone).calendar.day_at(NOW)]
        )
        take = min(day.base_usd_micros, spent)
        allowed += take
        days.append(replace(day, spent_usd_micros=take))
    # One share of what is left, whatever the day is called: 3000 over 21 or 22 days.
    assert allowed <= 3000 // 20


@pytest.mark.parametrize(
    ("spent", "reserved", "needs", "seconds"),
    [
        (0, 0, 110, 86_400),
        (0, 100, 50, 60),
        (60, 40, 50, 60),
        (60, 40, 60, 86_400),
        (95, 0, 5, 86_400),
    ],
)
def test_a_neighbours_reservation_is_waited_for_and_no_night(
    spent: int, reserved: int, needs: int, seconds: int
) -> None:
    start = datetime(2026, 4, 10, tzinfo=UTC)
    day = replace(
        begin_day(plan(), start, []),
        base_usd_micros=100,
        spent_usd_micros=spent,
        reserved_usd_micros=reserved,
    )
    assert next_chance(plan(), day, needs, start) == start + timedelta(seconds=seconds)
    late = start + timedelta(seconds=86_390)
    assert next_chance(plan(), day, needs, late) == start + timedelta(days=1)


def test_out_of_reach_is_what_no_even_day_pays_for() -> None:
    fresh = begin_day(plan(), datetime(2026, 4, 1, tzinfo=UTC), [])
    assert is_out_of_reach(plan(), fresh, 111, NOW)
    assert not is_out_of_reach(plan(), fresh, 110, NOW)
    assert not is_out_of_reach(plan(), replace(fresh, spent_usd_micros=1), 111, NOW)
