"""When a budget day turns and a cycle renews, computed from a given instant.

A budget day runs from midnight to midnight in the plan's time zone and is cut short by a
renewal, whichever comes first. All instants are aware and in UTC.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Span:
    """From `start` (included) to `end` (not included)."""

    start: datetime
    end: datetime


class Calendar(Protocol):
    """Cuts time into cycles, and cycles into budget days."""

    def cycle_at(self, now: datetime) -> Span:
        """The subscription cycle that holds `now`."""
        ...

    def day_at(self, now: datetime) -> Span:
        """The budget day that holds `now`."""
        ...

    def days_left(self, now: datetime) -> int:
        """Budget days until the renewal, the present one included: at least 1."""
        ...


@dataclass(frozen=True, kw_only=True)
class MonthlyCalendar:
    """Calendar days in a time zone, and a renewal every month.

    `renewal_day` beyond a month's length means that month's last day.
    """

    renewal_day: int = 1
    time_zone: str = "UTC"

    def cycle_at(self, now: datetime) -> Span:
        """From the last renewal at or before `now` to the next one."""
        local = now.astimezone(ZoneInfo(self.time_zone)).date()
        this = self._renewal(local.year, local.month)
        if local >= this:
            return Span(start=self._midnight(this), end=self._midnight(self._shifted(local, 1)))
        return Span(start=self._midnight(self._shifted(local, -1)), end=self._midnight(this))

    def day_at(self, now: datetime) -> Span:
        """The local calendar day; its length is 23 or 25 hours when the clocks change."""
        local = now.astimezone(ZoneInfo(self.time_zone)).date()
        return Span(start=self._midnight(local), end=self._midnight(local + timedelta(days=1)))

    def days_left(self, now: datetime) -> int:
        """Calendar days from today to the renewal."""
        zone = ZoneInfo(self.time_zone)
        renewal = self.cycle_at(now).end.astimezone(zone).date()
        return max(1, (renewal - now.astimezone(zone).date()).days)

    def _renewal(self, year: int, month: int) -> date:
        return date(year, month, min(self.renewal_day, calendar.monthrange(year, month)[1]))

    def _shifted(self, day: date, months: int) -> date:
        index = day.year * 12 + day.month - 1 + months
        return self._renewal(index // 12, index % 12 + 1)

    def _midnight(self, day: date) -> datetime:
        local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.time_zone))
        return local.astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class FixedCalendar:
    """Days of any length from an anchor on: the demo's shortened days, and tests.

    `day_s` is a budget day's length in seconds.
    """

    anchor: datetime
    day_s: float
    days_per_cycle: int

    def cycle_at(self, now: datetime) -> Span:
        """The cycle of `days_per_cycle` days that holds `now`."""
        first = self._index(now) // self.days_per_cycle * self.days_per_cycle
        return Span(start=self._start(first), end=self._start(first + self.days_per_cycle))

    def day_at(self, now: datetime) -> Span:
        """The short day that holds `now`."""
        index = self._index(now)
        return Span(start=self._start(index), end=self._start(index + 1))

    def days_left(self, now: datetime) -> int:
        """Short days until the cycle ends, today included."""
        return self.days_per_cycle - self._index(now) % self.days_per_cycle

    def _index(self, now: datetime) -> int:
        return (now - self.anchor) // timedelta(seconds=self.day_s)

    def _start(self, index: int) -> datetime:
        return self.anchor + timedelta(seconds=self.day_s) * index


def next_refresh(calendar: Calendar, now: datetime) -> datetime:
    """When the next allowance is there: the end of the present budget day."""
    return calendar.day_at(now).end


def wake_at(calendar: Calendar, now: datetime) -> datetime:
    """When a session that goes to sleep for money `now` is due again, always later than `now`."""
    return next_refresh(calendar, now)
