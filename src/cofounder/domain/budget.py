"""The allowance of a budget day, its thresholds, and the pace against the clock.

All amounts are whole micro-dollars. All sessions of an owner share one `DayBudget`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cofounder.domain.ids import OwnerId
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar, Span, wake_at

GRACEFUL_PCT = 90
EARLIEST_WIND_DOWN_PCT = 50
CEILING_PCT = 110
WIND_DOWN_ITERATIONS = 3
# How long a call of a neighbour may hold its reservation before one looks again.
RESERVATION_WAIT = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an owner may spend per cycle, and when cycles and days turn."""

    owner_id: OwnerId
    cycle_amount_usd_micros: int
    calendar: MonthlyCalendar | FixedCalendar


def calc_daily_budget(cycle_left_usd_micros: int, days_left: int) -> int:
    """A day's share: what is left of the cycle, divided by the days that are left.

    Rounded down, so that the shares never add up to more than the cycle.
    """
    return max(0, cycle_left_usd_micros) // max(1, days_left)


def get_budget_percentage(spent_usd_micros: int, allowance_usd_micros: int) -> int:
    """floor(100 x spent / allowance), clamped to 0-100. No allowance counts as used up."""
    if allowance_usd_micros <= 0:
        return 100
    return min(100, max(0, 100 * spent_usd_micros // allowance_usd_micros))


def is_at_graceful_threshold(spent_usd_micros: int, allowance_usd_micros: int) -> bool:
    """Whether it is time to wind down: 90 % or more is spent."""
    return 100 * spent_usd_micros >= GRACEFUL_PCT * allowance_usd_micros


def is_runaway(spent_usd_micros: int, ceiling_usd_micros: int) -> bool:
    """Whether the hard ceiling was crossed, which only a price surprise can do."""
    return spent_usd_micros > ceiling_usd_micros


@dataclass(frozen=True, kw_only=True)
class DayBudget:
    """One owner's budget day.

    `cycle_left_usd_micros` is what the cycle had left when the day began, today's top-ups
    excluded; the ceiling never exceeds it, so that a cycle is never overspent.
    """

    owner_id: OwnerId
    day: Span
    base_usd_micros: int
    top_up_usd_micros: int
    cycle_left_usd_micros: int
    spent_usd_micros: int
    reserved_usd_micros: int

    @property
    def allowance_usd_micros(self) -> int:
        """The day's share and today's top-ups."""
        return self.base_usd_micros + self.top_up_usd_micros

    @property
    def ceiling_usd_micros(self) -> int:
        """What spent and reserved together must not pass: 110 % of the allowance."""
        return min(
            CEILING_PCT * self.allowance_usd_micros // 100,
            max(0, self.cycle_left_usd_micros) + self.top_up_usd_micros,
        )

    @property
    def committed_usd_micros(self) -> int:
        """Spent, or reserved for calls whose cost is not known yet."""
        return self.spent_usd_micros + self.reserved_usd_micros

    @property
    def free_usd_micros(self) -> int:
        """What can still be reserved below the ceiling."""
        return max(0, self.ceiling_usd_micros - self.committed_usd_micros)

    @property
    def budget_pct(self) -> int:
        """Spent share of the allowance, an integer 0-100."""
        return get_budget_percentage(self.spent_usd_micros, self.allowance_usd_micros)

    @property
    def at_graceful_threshold(self) -> bool:
        """Whether sessions wind down."""
        return is_at_graceful_threshold(self.spent_usd_micros, self.allowance_usd_micros)

    @property
    def runaway(self) -> bool:
        """Whether the breaker has to stop the session."""
        return is_runaway(self.spent_usd_micros, self.ceiling_usd_micros)


def begin_day(plan: Plan, now: datetime, others: Sequence[DayBudget]) -> DayBudget:
    """The budget day that holds `now`, nothing spent on it yet.

    `others` are the owner's other days of this cycle, and those that overlap this day
    because the plan's calendar was changed meanwhile: what was spent on the latter is
    taken off today's share, so that another time zone is not another allowance.
    """
    day = plan.calendar.day_at(now)
    left = plan.cycle_amount_usd_micros
    left += sum(other.top_up_usd_micros - other.committed_usd_micros for other in others)
    running = sum(
        other.committed_usd_micros
        for other in others
        if other.day.start < day.end and day.start < other.day.end
    )
    share = calc_daily_budget(left, plan.calendar.days_left(now))
    return DayBudget(
        owner_id=plan.owner_id,
        day=day,
        base_usd_micros=max(0, share - running),
        top_up_usd_micros=0,
        cycle_left_usd_micros=left,
        spent_usd_micros=0,
        reserved_usd_micros=0,
    )


def is_time_to_wind_down(budget: DayBudget, closing_usd_micros: int) -> bool:
    """At 90 %; from half the allowance on also when less is free than the closing steps need.

    A large conversation reserves so much per call that a session would otherwise be put to
    sleep without a hand-over. The first half of a day is always for work.
    """
    return budget.at_graceful_threshold or (
        budget.budget_pct >= EARLIEST_WIND_DOWN_PCT and budget.free_usd_micros < closing_usd_micros
    )


def can_work(budget: DayBudget, needs_usd_micros: int) -> bool:
    """Whether it makes sense to wake a session that needs that much for its next step."""
    return not budget.at_graceful_threshold and budget.free_usd_micros >= needs_usd_micros


def next_chance(plan: Plan, budget: DayBudget, needs_usd_micros: int, now: datetime) -> datetime:
    """When a session that lacks the money on this budget day should look again.

    At the refresh; soon, when only the reservations of its neighbours are in its way, most
    of which are released again. The refresh is the one that ends `budget`'s own day: that
    day may have passed since it was looked at.
    """
    refresh = wake_at(plan.calendar, budget.day.start)
    without_others = replace(budget, reserved_usd_micros=0)
    if can_work(without_others, needs_usd_micros) and not can_work(budget, needs_usd_micros):
        return min(refresh, now + RESERVATION_WAIT)
    return refresh


def is_out_of_reach(plan: Plan, budget: DayBudget, needs_usd_micros: int, now: datetime) -> bool:
    """Whether a fresh day does not suffice and no day of this plan ever will."""
    return not budget.spent_usd_micros and typical_ceiling_usd_micros(plan, now) < needs_usd_micros


def typical_ceiling_usd_micros(plan: Plan, now: datetime) -> int:
    """What an even day of the plan's cycle lets a session spend at most."""
    days = plan.calendar.days_left(plan.calendar.cycle_at(now).start)
    return CEILING_PCT * calc_daily_budget(plan.cycle_amount_usd_micros, days) // 100


class Pace(StrEnum):
    """Spending against the clock."""

    AHEAD = "ahead"
    ON = "on"
    BEHIND = "behind"


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """`pace_pct` is the share of the day that has passed, to compare `budget_pct` with."""

    pace_pct: int
    pace: Pace
    runs_out_at: datetime | None


def forecast(budget: DayBudget, now: datetime) -> Forecast:
    """Go on at the day's mean rate: when does the allowance run out, if before the refresh?"""
    length_s = (budget.day.end - budget.day.start).total_seconds()
    passed_s = min(length_s, max(0.0, (now - budget.day.start).total_seconds()))
    pace_pct = int(100 * passed_s / length_s)
    spent, allowance = budget.spent_usd_micros, budget.allowance_usd_micros
    runs_out_at = None
    if 0 < spent < allowance and passed_s > 0:
        remaining_s = (allowance - spent) * passed_s / spent
        left_s = (budget.day.end - now).total_seconds()
        runs_out_at = (
            now + (budget.day.end - now) * (remaining_s / left_s)
            if (remaining_s < left_s)
            else None
        )
    elif spent >= allowance:
        runs_out_at = now
    return Forecast(
        pace_pct=pace_pct, pace=_pace(budget.budget_pct - pace_pct), runs_out_at=runs_out_at
    )


def _pace(lead_pct: int) -> Pace:
    if abs(lead_pct) <= 5:
        return Pace.ON
    return Pace.AHEAD if lead_pct > 0 else Pace.BEHIND
