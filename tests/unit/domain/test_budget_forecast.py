"""The pace against the clock, and when the allowance runs out."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cofounder.domain.budget import Forecast, Pace, forecast
from tests.unit.domain.samples import DAY, day_budget, micros

LENGTH = DAY.end - DAY.start
A_MOMENT = timedelta(microseconds=1)
within_the_day = st.timedeltas(timedelta(0), LENGTH - A_MOMENT).map(lambda off: DAY.start + off)
delays = st.timedeltas(timedelta(0), 2 * LENGTH)
around_the_day = st.timedeltas(-LENGTH, 2 * LENGTH).map(lambda off: DAY.start + off)


def look(*, spent: int, allowance: int, now: datetime) -> Forecast:
    """The forecast of a day with that allowance."""
    return forecast(day_budget(base=allowance, left=10 * allowance, spent=spent), now)


@given(spent=micros, allowance=micros, now=within_the_day)
@example(spent=10**12 - 1, allowance=10**12, now=DAY.end - A_MOMENT)
@example(spent=1, allowance=10**12, now=DAY.start + A_MOMENT)
def test_it_runs_out_between_now_and_the_end_of_the_day_or_not_at_all(
    spent: int, allowance: int, now: datetime
) -> None:
    runs_out_at = look(spent=spent, allowance=allowance, now=now).runs_out_at
    assert runs_out_at is None or now <= runs_out_at <= DAY.end
    if spent >= allowance:
        assert runs_out_at == now
    elif spent == 0:
        assert runs_out_at is None


@given(spent=micros, allowance=micros, now=within_the_day)
def test_it_runs_out_where_the_mean_rate_leads(spent: int, allowance: int, now: datetime) -> None:
    assume(0 < spent < allowance and now > DAY.start)
    passed_s = Fraction((now - DAY.start) // A_MOMENT, 10**6)
    expected_s = passed_s * allowance / spent
    length_s = int(LENGTH.total_seconds())
    runs_out_at = look(spent=spent, allowance=allowance, now=now).runs_out_at
    if runs_out_at is None:
        assert expected_s > length_s - Fraction(1, 1000)
    else:
        found_s = Fraction((runs_out_at - DAY.start) // A_MOMENT, 10**6)
        assert abs(found_s - expected_s) < Fraction(1, 1000)


@given(spent=micros, allowance=micros, now=around_the_day, later=delays)
def test_the_pace_is_the_share_of_the_day_and_never_goes_back(
    spent: int, allowance: int, now: datetime, later: timedelta
) -> None:
    pace_pct = look(spent=spent, allowance=allowance, now=now).pace_pct
    assert 0 <= pace_pct <= 100
    assert pace_pct <= look(spent=spent, allowance=allowance, now=now + later).pace_pct


@pytest.mark.parametrize(
    ("spent", "passed", "pace_pct", "pace", "runs_out_after"),
    [
        (500_000, 0.5, 50, Pace.ON, None),
        (550_000, 0.5, 50, Pace.ON, 0.5 / 0.55),
        (560_000, 0.5, 50, Pace.AHEAD, 0.5 / 0.56),
        (450_000, 0.5, 50, Pace.ON, None),
        (440_000, 0.5, 50, Pace.BEHIND, None),
        (1_000_000, 0.25, 25, Pace.AHEAD, 0.25),
        (1_090_000, 0.25, 25, Pace.AHEAD, 0.25),
        (0, 0.0, 0, Pace.ON, None),
        (0, 0.75, 75, Pace.BEHIND, None),
        (500_000, 0.0, 0, Pace.AHEAD, None),
        (600_000, 1.5, 100, Pace.BEHIND, None),
        (0, -0.5, 0, Pace.ON, None),
    ],
)
def test_known_forecasts_of_a_dollar(
    spent: int, passed: float, pace_pct: int, pace: Pace, runs_out_after: float | None
) -> None:
    seen = look(spent=spent, allowance=1_000_000, now=DAY.start + passed * LENGTH)
    assert (seen.pace_pct, seen.pace) == (pace_pct, pace)
    assert (seen.runs_out_at is None) == (runs_out_after is None)
    if seen.runs_out_at is not None and runs_out_after is not None:
        off = seen.runs_out_at - (DAY.start + runs_out_after * LENGTH)
        assert abs(off) < timedelta(milliseconds=1)


def test_without_allowance_it_has_run_out() -> None:
    now = DAY.start + LENGTH / 4
    assert look(spent=0, allowance=0, now=now) == Forecast(
        pace_pct=25, pace=Pace.AHEAD, runs_out_at=now
    )
