"""Calendar days and monthly renewals, in any time zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cofounder.domain.schedule import MonthlyCalendar, Span, next_refresh, wake_at
from tests.unit.domain.samples import check_days_left, check_spans, days_of_cycle, instants

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Cairo",
    "Atlantic/Azores",
    "America/Nuuk",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
)
calendars = st.builds(
    MonthlyCalendar,
    renewal_day=st.integers(min_value=1, max_value=31),
    time_zone=st.sampled_from(ZONES),
)
RENEWAL_DAYS = pytest.mark.parametrize("renewal_day", range(1, 32))


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """An instant in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


@given(calendar=calendars, now=instants)
@example(calendar=MonthlyCalendar(renewal_day=31), now=utc(2024, 2, 29, 23, 59))
@example(calendar=MonthlyCalendar(renewal_day=30), now=utc(2025, 2, 28))
@example(calendar=MonthlyCalendar(renewal_day=29, time_zone="Asia/Beirut"), now=utc(2024, 3, 1))
def test_days_and_cycles_hold_now_and_meet_their_neighbours(
    calendar: MonthlyCalendar, now: datetime
) -> None:
    check_spans(calendar, now)
    check_days_left(calendar, now)


# Local midnight is missing, or comes after an hour that is lived through twice, at these.
CLOCK_CHANGES = (
    ("Europe/Berlin", utc(2026, 3, 29, 1)),
    ("Europe/Berlin", utc(2026, 10, 25, 1)),
    ("America/New_York", utc(2026, 3, 8, 7)),
    ("America/New_York", utc(2026, 11, 1, 6)),
    ("Australia/Lord_Howe", utc(2026, 4, 4, 15)),
    ("Australia/Lord_Howe", utc(2026, 10, 3, 15, 30)),
    ("America/Sao_Paulo", utc(2018, 11, 4, 3)),
    ("America/Sao_Paulo", utc(2018, 2, 18, 2)),
    ("America/Havana", utc(2026, 3, 8, 5)),
    ("America/Havana", utc(2026, 11, 1, 5)),
    ("Asia/Beirut", utc(2026, 3, 28, 22)),
    ("Asia/Beirut", utc(2026, 10, 24, 21)),
    ("Africa/Cairo", utc(2026, 4, 23, 22)),
    ("Africa/Cairo", utc(2026, 10, 29, 21)),
    ("Atlantic/Azores", utc(2026, 3, 29, 1)),
    ("Atlantic/Azores", utc(2026, 10, 25, 1)),
)


@pytest.mark.parametrize(("zone", "change"), CLOCK_CHANGES)
def test_the_chosen_instants_are_changes_of_the_clock(zone: str, change: datetime) -> None:
    before = (change - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    assert before.utcoffset() != change.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize(("zone", "change"), CLOCK_CHANGES)
@given(
    renewal_day=st.integers(min_value=1, max_value=31),
    off_s=st.integers(min_value=-2 * 86_400, max_value=2 * 86_400),
)
@example(renewal_day=4, off_s=0)
@example(renewal_day=29, off_s=-1)
@example(renewal_day=24, off_s=1)
def test_spans_hold_around_a_change_of_the_clock(
    zone: str, change: datetime, renewal_day: int, off_s: int
) -> None:
    calendar = MonthlyCalendar(renewal_day=renewal_day, time_zone=zone)
    check_spans(calendar, change + timedelta(seconds=off_s))
    check_days_left(calendar, change + timedelta(seconds=off_s))


def test_a_day_whose_midnight_does_not_exist_begins_with_its_first_instant() -> None:
    calendar = MonthlyCalendar(time_zone="America/Sao_Paulo")
    day = calendar.day_at(utc(2018, 11, 4, 12))
    assert day == Span(start=utc(2018, 11, 4, 3), end=utc(2018, 11, 5, 2))
    assert day.start.astimezone(ZoneInfo("America/Sao_Paulo")).hour == 1


@pytest.mark.parametrize(
    ("zone", "noon", "hours"),
    [
        ("UTC", utc(2026, 3, 29, 12), 24),
        ("Europe/Berlin", utc(2026, 3, 29, 12), 23),
        ("Europe/Berlin", utc(2026, 10, 25, 12), 25),
        ("America/New_York", utc(2026, 3, 8, 16), 23),
        ("America/New_York", utc(2026, 11, 1, 16), 25),
        ("Australia/Lord_Howe", utc(2026, 4, 5, 2), 24.5),
        ("Australia/Lord_Howe", utc(2026, 10, 4, 2), 23.5),
        ("Africa/Cairo", utc(2026, 4, 24, 12), 23),
        ("Africa/Cairo", utc(2026, 10, 29, 12), 25),
    ],
)
def test_a_day_is_as_long_as_the_zone_makes_it(zone: str, noon: datetime, hours: float) -> None:
    day = MonthlyCalendar(time_zone=zone).day_at(noon)
    assert day.end - day.start == timedelta(hours=hours)


@RENEWAL_DAYS
def test_every_cycle_of_four_years_renews_on_its_day(renewal_day: int) -> None:
    calendar = MonthlyCalendar(renewal_day=renewal_day)
    cycle = calendar.cycle_at(utc(2024, 1, 1))
    for _ in range(49):
        renewal = cycle.end
        day_after = renewal + timedelta(days=1)
        last_of_month = day_after.month != renewal.month
        assert renewal.day == renewal_day or (renewal.day < renewal_day and last_of_month)
        assert renewal == renewal.replace(hour=0, minute=0, second=0, microsecond=0)
        following = calendar.cycle_at(cycle.end)
        assert following.start == cycle.end
        assert following.end.month == cycle.end.month % 12 + 1
        cycle = following
    assert cycle.end.year >= 2028


@RENEWAL_DAYS
@pytest.mark.parametrize("month", [utc(2024, 2, 10), utc(2025, 2, 10), utc(2026, 10, 20)])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Beirut"])
def test_days_left_counts_down_to_one_through_the_cycle(
    renewal_day: int, month: datetime, zone: str
) -> None:
    calendar = MonthlyCalendar(renewal_day=renewal_day, time_zone=zone)
    days = list(days_of_cycle(calendar, month))
    assert [calendar.days_left(day.start) for day in days] == list(range(len(days), 0, -1))
    assert 28 <= len(days) <= 31
    assert days[-1].end == calendar.cycle_at(month).end


@pytest.mark.parametrize(
    ("renewal_day", "now", "cycle", "days_left"),
    [
        (1, utc(2026, 3, 10), Span(start=utc(2026, 3, 1), end=utc(2026, 4, 1)), 22),
        (15, utc(2026, 3, 14, 23), Span(start=utc(2026, 2, 15), end=utc(2026, 3, 15)), 1),
        (15, utc(2026, 3, 15), Span(start=utc(2026, 3, 15), end=utc(2026, 4, 15)), 31),
        (31, utc(2024, 2, 28), Span(start=utc(2024, 1, 31), end=utc(2024, 2, 29)), 1),
        (31, utc(2024, 2, 29), Span(start=utc(2024, 2, 29), end=utc(2024, 3, 31)), 31),
        (31, utc(2025, 2, 28), Span(start=utc(2025, 2, 28), end=utc(2025, 3, 31)), 31),
        (30, utc(2025, 3, 1), Span(start=utc(2025, 2, 28), end=utc(2025, 3, 30)), 29),
        (20, utc(2025, 12, 31), Span(start=utc(2025, 12, 20), end=utc(2026, 1, 20)), 20),
        (20, utc(2026, 1, 1), Span(start=utc(2025, 12, 20), end=utc(2026, 1, 20)), 19),
    ],
)
def test_known_cycles(renewal_day: int, now: datetime, cycle: Span, days_left: int) -> None:
    calendar = MonthlyCalendar(renewal_day=renewal_day)
    assert calendar.cycle_at(now) == cycle
    assert calendar.days_left(now) == days_left


def test_the_zone_decides_which_day_it_is() -> None:
    now = utc(2026, 3, 31, 23)
    assert MonthlyCalendar(time_zone="UTC").days_left(now) == 1
    assert MonthlyCalendar(time_zone="Europe/Berlin").days_left(now) == 30
    assert MonthlyCalendar(time_zone="Europe/Berlin").cycle_at(now).start == utc(2026, 3, 31, 22)


@given(calendar=calendars, now=instants)
def test_a_sleep_ends_with_the_day_and_never_in_the_past(
    calendar: MonthlyCalendar, now: datetime
) -> None:
    due = wake_at(calendar, now)
    assert due == next_refresh(calendar, now) == calendar.day_at(now).end
    assert due > now
    assert due.tzinfo is UTC
    assert due <= calendar.cycle_at(now).end
