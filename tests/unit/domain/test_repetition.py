"""The ladder for an agent that goes in a circle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.domain.repetition import ESCALATE_AFTER, NUDGE_AFTER, Rung, rung

BY_LENGTH = {0: Rung.NONE, 1: Rung.NONE, 2: Rung.NONE, 3: Rung.NUDGE}
lengths = st.integers(min_value=1, max_value=12)
# Whatever went before is spelled differently from the circle that follows.
earlier = st.lists(st.sampled_from("vwxyz"), max_size=8)


def expected(repeats: int) -> Rung:
    """What so many repetitions in a row mean."""
    return BY_LENGTH.get(repeats, Rung.ESCALATE)


def test_the_ladder_has_its_two_rungs_close_together() -> None:
    assert (NUDGE_AFTER, ESCALATE_AFTER) == (3, 4)


@given(before=earlier, repeats=lengths)
def test_the_same_action_over_and_over(before: list[str], repeats: int) -> None:
    assert rung([*before, *["a"] * repeats]) is expected(repeats)


@given(before=earlier, pairs=lengths)
def test_two_actions_in_turn_count_by_the_pair(before: list[str], pairs: int) -> None:
    assert rung([*before, *["a", "b"] * pairs]) is expected(pairs)


@given(circle=st.lists(st.sampled_from("ab"), max_size=12))
def test_something_new_ends_the_circle(circle: list[str]) -> None:
    assert rung([*circle, "new"]) is Rung.NONE
    assert rung([*circle, "new", "newer"]) is Rung.NONE


@given(polls=st.lists(st.text(), unique=True, max_size=30))
def test_a_poll_whose_result_changes_is_no_circle(polls: list[str]) -> None:
    assert rung([f"check the build -> {result}" for result in polls]) is Rung.NONE


@pytest.mark.parametrize(
    ("actions", "found"),
    [
        ("", Rung.NONE),
        ("a", Rung.NONE),
        ("aa", Rung.NONE),
        ("aaa", Rung.NUDGE),
        ("aaaa", Rung.ESCALATE),
        ("aaab", Rung.NONE),
        ("aaabaa", Rung.NONE),
        ("abab", Rung.NONE),
        ("ababab", Rung.NUDGE),
        ("abababab", Rung.ESCALATE),
        ("babababab", Rung.ESCALATE),
        ("abcabcabc", Rung.NONE),
        ("aabaabaa", Rung.NONE),
    ],
)
def test_known_runs(actions: str, found: Rung) -> None:
    assert rung(list(actions)) is found
