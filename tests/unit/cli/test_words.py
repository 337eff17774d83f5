from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.cli.words import (
    both_times,
    clean,
    clock_time,
    count,
    countdown,
    look,
    roughly,
    seconds,
    span,
)
from cofounder.domain.session import SessionState
from tests.unit.cli.samples import BERLIN, MIDNIGHT, NOON


@pytest.mark.parametrize(
    ("given_text", "shown"),
    [
        ("plain “quoted” text", "plain “quoted” text"),
        ("two\nlines\tand  blanks", "two lines and blanks"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("bell\x07", "bell\N{REPLACEMENT CHARACTER}"),
        ("\x9b31mred", "\N{REPLACEMENT CHARACTER}31mred"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "a\N{REPLACEMENT CHARACTER}b"),
    ],
)
def test_nothing_in_a_text_steers_the_terminal(given_text: str, shown: str) -> None:
    assert clean(given_text) == shown


@given(st.text())
def test_a_clean_text_is_printable_whatever_it_was(text: str) -> None:
    assert clean(text).isprintable()


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(seconds=-5), "0 s"),
        (timedelta(seconds=9), "9 s"),
        (timedelta(seconds=125), "2 min 05 s"),
        (timedelta(hours=7, minutes=52, seconds=10), "7 h 52 min"),
        (timedelta(days=2, hours=3), "2 d 3 h"),
    ],
)
def test_a_length_of_time_in_its_two_largest_units(length: timedelta, words: str) -> None:
    assert span(length) == words


def test_a_rough_length_leaves_out_seconds_once_there_is_a_minute() -> None:
    lengths = [timedelta(seconds=s) for s in (20, 60, 2_559, 7_500)]
    assert [roughly(length) for length in lengths] == ["20 s", "1 min", "42 min", "2 h 5 min"]


def test_a_countdown_ends_in_now_and_is_never_negative() -> None:
    assert countdown(NOON + timedelta(minutes=5), NOON) == "in 5 min 00 s"
    assert countdown(NOON, NOON) == "now"
    assert countdown(NOON - timedelta(hours=1), NOON) == "now"


def test_a_time_names_the_day_only_when_it_is_another() -> None:
    assert clock_time(NOON + timedelta(hours=4), NOON, UTC) == "16:00"
    assert clock_time(NOON + timedelta(seconds=20), NOON, UTC) == "12:00:20"
    assert clock_time(MIDNIGHT, NOON, UTC) == "Wed 00:00"
    assert clock_time(NOON + timedelta(days=30), NOON, UTC) == "9 Apr 12:00"


def test_a_wake_up_is_told_in_utc_and_in_the_founders_zone() -> None:
    assert both_times(MIDNIGHT, NOON, BERLIN) == "Wed 00:00 UTC (Wed 01:00 here)"
    assert both_times(MIDNIGHT, NOON, UTC) == "Wed 00:00 UTC"


def test_the_founders_zone_follows_the_change_of_the_clocks() -> None:
    before = datetime(2026, 3, 28, 22, tzinfo=UTC)
    after = datetime(2026, 3, 29, 10, tzinfo=UTC)
    assert clock_time(before, before, BERLIN) == "23:00:00"
    assert clock_time(after, before, BERLIN) == "Sun 12:00"


def test_every_state_has_a_word_and_a_symbol_of_its_own() -> None:
    looks = [look(state) for state in SessionState]
    assert len({shown.word for shown in looks}) == len(looks)
    assert len({shown.symbol for shown in looks}) == len(looks)


def test_small_words() -> None:
    assert [count(1, "phase"), count(2, "phase")] == ["1 phase", "2 phases"]
    assert [seconds(0.44), seconds(12.2), seconds(125)] == ["0.4 s", "12 s", "2 min 05 s"]
