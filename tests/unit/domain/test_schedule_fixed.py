"""Days of any length, counted from an anchor, before it too."""

from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from cofounder.domain.schedule import FixedCalendar, Span, next_refresh, wake_at
from tests.unit.domain.samples import (
    NOON,
    check_days_left,
    check_spans,
    days_of_cycle,
    instants,
)

calendars = st.builds(
    FixedCalendar,
    anchor=instants,
    day_s=st.floats(min_value=0.001, max_value=200_000, allow_nan=False),
    days_per_cycle=st.integers(min_value=1, max_value=60),
)


@given(calendar=calendars, now=instants)
def test_days_and_cycles_hold_now_before_and_after_the_anchor(
    calendar: FixedCalendar, now: datetime
) -> None:
    check_spans(calendar, now)
    check_days_left(calendar, now)


@given(calendar=calendars, off_s=st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
@example(calendar=FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=3), off_s=0)
@example(calendar=FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=3), off_s=-1e-6)
@example(calendar=FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=3), off_s=60)
def test_days_and_cycles_hold_now_close_to_the_anchor(
    calendar: FixedCalendar, off_s: float
) -> None:
    now = calendar.anchor + timedelta(seconds=off_s)
    check_spans(calendar, now)
    check_days_left(calendar, now)


@given(calendar=calendars, now=instants)
def test_a_cycle_has_its_days_and_they_count_down(calendar: FixedCalendar, now: datetime) -> None:
    days = list(days_of_cycle(calendar, now))
    assert len(days) == calendar.days_per_cycle
    assert [calendar.days_left(d.start) for d in days] == list(range(len(days), 0, -1))
    assert {day.end - day.start for day in days} == {timedelta(seconds=calendar.day_s)}


@given(calendar=calendars, now=instants)
def test_a_sleep_ends_with_the_short_day(calendar: FixedCalendar, now: datetime) -> None:
    due = wake_at(calendar, now)
    assert due == next_refresh(calendar, now) == calendar.day_at(now).end
    assert now < due <= now + timedelta(seconds=calendar.day_s)
    assert due.tzinfo is UTC


def test_known_days() -> None:
    calendar = FixedCalendar(anchor=NOON, day_s=20, days_per_cycle=3)

    def at(seconds: int) -> datetime:
        return NOON + timedelta(seconds=seconds)

    assert calendar.day_at(at(25)) == Span(start=at(20), end=at(40))
    assert calendar.cycle_at(at(25)) == Span(start=at(0), end=at(60))
    assert calendar.days_left(at(25)) == 2
    assert calendar.day_at(at(-1)) == Span(start=at(-20), end=at(0))
    assert calendar.cycle_at(at(-1)) == Span(start=at(-60), end=at(0))
    assert calendar.days_left(at(-1)) == 1
    assert calendar.days_left(at(60)) == 3
