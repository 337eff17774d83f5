"""Values that the domain's tests start from."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from cofounder.domain.budget import DayBudget
from cofounder.domain.ids import OwnerId
from cofounder.domain.schedule import Calendar, Span

OWNER = OwnerId("owner_1")
NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
DAY = Span(start=datetime(2026, 3, 10, tzinfo=UTC), end=datetime(2026, 3, 11, tzinfo=UTC))

micros = st.integers(min_value=0, max_value=10**12)
instants = st.timedeltas(timedelta(0), timedelta(days=3652)).map(
    lambda since: datetime(2024, 1, 1, tzinfo=UTC) + since
)


def day_budget(
    *, base: int = 0, top_up: int = 0, left: int = 0, spent: int = 0, reserved: int = 0
) -> DayBudget:
    """A budget day of 24 hours; amounts are micro-dollars."""
    return DayBudget(
        owner_id=OWNER,
        day=DAY,
        base_usd_micros=base,
        top_up_usd_micros=top_up,
        cycle_left_usd_micros=left,
        spent_usd_micros=spent,
        reserved_usd_micros=reserved,
    )


def days_of_cycle(calendar: Calendar, now: datetime) -> Iterator[Span]:
    """The budget days of the cycle that holds `now`, from its first to its last."""
    cycle = calendar.cycle_at(now)
    day = calendar.day_at(cycle.start)
    while day.start < cycle.end:
        yield day
        day = calendar.day_at(day.end)


def check_spans(calendar: Calendar, now: datetime) -> None:
    """Day and cycle hold `now`, meet their neighbours, lie in each other, and are in UTC."""
    a_moment = timedelta(microseconds=1)
    for span_at in (calendar.day_at, calendar.cycle_at):
        span = span_at(now)
        assert span.start <= now < span.end
        assert span_at(span.start) == span_at(span.end - a_moment) == span
        assert span_at(span.end).start == span.end
        assert span_at(span.start - a_moment).end == span.start
        assert span.start.utcoffset() == span.end.utcoffset() == timedelta(0)
    day, cycle = calendar.day_at(now), calendar.cycle_at(now)
    assert cycle.start <= day.start
    assert day.end <= cycle.end


def check_days_left(calendar: Calendar, now: datetime) -> None:
    """`days_left` counts the turns of the day until the cycle's end."""
    left, day, cycle = calendar.days_left(now), calendar.day_at(now), calendar.cycle_at(now)
    assert left >= 1
    assert calendar.days_left(day.start) == left
    if day.end == cycle.end:
        assert left == 1
    else:
        assert calendar.days_left(day.end) == left - 1
