"""Which failed attempts are the same approach, and when the agent is stuck."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cofounder.domain.failures import (
    APPROACHES_BEFORE_ESCALATION,
    FailedAttempt,
    distinct_approaches,
    fingerprint,
    is_stuck,
    normalized,
)
from tests.unit.domain.samples import NOON

words = st.text(alphabet="abcdefgh", min_size=1, max_size=8)
phrases = st.lists(words, min_size=1, max_size=6)
blanks = st.text(alphabet=" \t\n\r", min_size=1, max_size=3)
any_text = st.text(alphabet=st.characters(exclude_categories=[]))


def attempt(strategy: str, result: str = "exit 1") -> FailedAttempt:
    """A failure of that strategy."""
    return FailedAttempt(
        goal="goal", strategy=strategy, approach=f"tried {strategy}", result=result, at=NOON
    )


@given(phrase=phrases, blank=blanks, edge=st.sampled_from(["", " ", "\n\t"]))
def test_blanks_and_case_do_not_matter(phrase: list[str], blank: str, edge: str) -> None:
    plain, shouted = " ".join(phrase), edge + blank.join(phrase).upper() + edge
    assert normalized(shouted) == normalized(plain) == plain
    assert fingerprint(shouted) == fingerprint(plain)


@given(
    before=words,
    after=words,
    first=st.integers(min_value=0),
    second=st.integers(min_value=0),
    address=st.integers(min_value=0),
)
def test_numbers_do_not_matter(
    before: str, after: str, first: int, second: int, address: int
) -> None:
    one, two = f"{before} {first} {after}", f"{before} {second} {after}"
    assert fingerprint(one) == fingerprint(two) == fingerprint(f"{before} {address:#x} {after}")
    assert fingerprint(one) != fingerprint(f"{before} {after}")


@given(one=phrases, other=phrases)
def test_different_words_are_different_strategies(one: list[str], other: list[str]) -> None:
    same = fingerprint(" ".join(one)) == fingerprint(" ".join(other))
    assert same == (one == other)


@given(parts=st.lists(words, min_size=2, max_size=5))
def test_parts_are_kept_apart(parts: list[str]) -> None:
    assert fingerprint(*parts) != fingerprint("".join(parts))
    assert fingerprint(*parts) != fingerprint(" ".join(parts))
    assert fingerprint(*parts) != fingerprint("\x1f".join(parts))
    assert fingerprint(*parts) != fingerprint(*parts, "")


@given(text=any_text)
@example(text="\ud800")
def test_every_text_has_a_short_stable_name(text: str) -> None:
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(text))
    assert fingerprint(text) == fingerprint(normalized(text))


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("pytest -k  Login\n", "pytest -k login"),
        ('File "a.py", line 12', 'file "a.py", line #'),
        ("at 0x7fFE12 after 1.5 s", "at # after #.# s"),
        ("  ", ""),
    ],
)
def test_known_normal_forms(text: str, same: str) -> None:
    assert normalized(text) == same


@given(strategies=st.lists(st.sampled_from("abcde")))
def test_it_is_stuck_after_three_different_approaches(strategies: list[str]) -> None:
    assert APPROACHES_BEFORE_ESCALATION == 3
    assert is_stuck([attempt(s) for s in strategies]) == (len(set(strategies)) >= 3)


def test_the_same_approach_again_and_again_is_one_approach() -> None:
    assert not is_stuck([attempt("a", f"line {n}") for n in range(50)])
    assert not is_stuck([attempt(s) for s in "abababab"])
    assert is_stuck([attempt(s) for s in "aabbac"])
    assert not is_stuck([])


def test_the_record_shows_the_latest_real_result_of_each_approach() -> None:
    first, other, again = attempt("a", "no module"), attempt("b"), attempt("a", "no key")
    assert distinct_approaches([first, other, again]) == (again, other)
