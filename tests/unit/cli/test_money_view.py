from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Group

from cofounder.cli.money_view import money_lines, money_sentence
from cofounder.cli.view_state import budget_day
from cofounder.domain.budget import DayBudget
from tests.unit.cli import samples
from tests.unit.cli.samples import BERLIN, NOON


def day(spent: int, limit: int = 6_000_000) -> DayBudget:
    return budget_day(samples.day(spent=spent, limit=limit))


@pytest.mark.parametrize(
    ("budget", "sentence"),
    [
        (day(4_500_000), "$4.50 of $6.00 · ahead of pace · runs out 17:00"),
        (day(3_100_000), "$3.10 of $6.00 · on pace · runs out Wed 00:13"),
        (day(1_000_000), "$1.00 of $6.00 · behind pace · lasts until the refresh at Wed 01:00"),
        (
            day(5_400_000),
            "$5.40 of $6.00 · nearly used · "
            "the next allowance comes at Wed 00:00 UTC (Wed 01:00 here)",
        ),
        (
            day(6_100_000),
            "$6.10 of $6.00 · used up · the next allowance comes at Wed 00:00 UTC (Wed 01:00 here)",
        ),
        (
            day(0, limit=0),
            "No allowance today · the next one comes at Wed 00:00 UTC (Wed 01:00 here)",
        ),
    ],
)
def test_one_sentence_says_amount_pace_and_end(budget: DayBudget, sentence: str) -> None:
    assert money_sentence(budget, NOON, BERLIN) == sentence


def lines(budget: DayBudget, width: int) -> list[str]:
    group = Group(*money_lines(budget, NOON, width, BERLIN))
    return [line.rstrip() for line in samples.plain(group, width).splitlines()]


@pytest.mark.parametrize("width", [60, 120])
def test_the_bar_has_a_tick_for_the_clock_and_a_mark_where_the_agent_winds_down(width: int) -> None:
    bar, marks, _ = lines(day(3_000_000), width)
    full, cells = bar.count("█"), bar.count("█") + bar.count("░")
    first = bar.index("█")
    assert full == cells // 2
    assert marks.index("▲") - first == cells // 2
    assert marks.index("╵") - first == cells * 90 // 100
    assert bar.endswith("50 %")


def test_spending_beyond_the_allowance_is_shown_as_it_is() -> None:
    assert lines(day(6_300_000), 80)[0].endswith("105 %")


@pytest.mark.parametrize("passed_pct", range(0, 101, 5))
def test_the_marks_never_run_into_each_other(passed_pct: int) -> None:
    now = samples.MIDNIGHT - timedelta(days=1) + timedelta(days=1) * passed_pct / 100
    group = Group(*money_lines(day(3_000_000), now, 60, BERLIN))
    marks = samples.plain(group, 60).splitlines()[1]
    assert "▲" in marks
    assert len(marks) <= 60


def test_a_top_up_counts_as_allowance() -> None:
    topped_up = replace(day(3_000_000), top_up_usd_micros=4_000_000)
    assert money_sentence(topped_up, NOON, BERLIN).startswith("$3.00 of $10.00")
