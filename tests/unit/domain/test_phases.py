"""The phases of a build: one under way at most, in the order of their first naming."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.domain.phases import Phase, PhaseStatus, complete, enter, phase_id
from tests.unit.domain.samples import NOON

LATER = NOON + timedelta(hours=1)
names = st.sampled_from(["Plan", "Build the API", "build  the api!", "Test", "Übergabe", "Ship it"])


def phase(name: str, status: PhaseStatus, started_at: datetime | None = None) -> Phase:
    return Phase(
        phase_id=phase_id(name),
        phase_name=name,
        status=status,
        started_at=started_at,
        completed_at=None,
    )


def save(known: Sequence[Phase], changed: Sequence[Phase]) -> tuple[Phase, ...]:
    """What a store keeps: new ones are added, known ones replaced."""
    by_id = {p.phase_id: p for p in (*known, *changed)}
    return tuple(by_id.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Build the API", "build-the-api"),
        ("  Build: the (API)!  ", "build-the-api"),
        ("Phase 2", "phase-2"),
        ("Übergabe", "übergabe"),
        ("", "phase"),
        ("!!!", "phase"),
        ("x" * 100, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_known_ids(name: str, expected: str) -> None:
    assert phase_id(name) == expected


@given(name=st.text())
def test_an_id_is_its_own_id(name: str) -> None:
    found = phase_id(name)
    assert 1 <= len(found) <= 64
    assert found == found.strip("-")
    assert phase_id(found) == found


def test_the_first_phase_is_started() -> None:
    assert enter([], " Plan ", NOON) == (phase("Plan", PhaseStatus.IN_PROGRESS, NOON),)


def test_a_planned_phase_keeps_its_name() -> None:
    planned = phase("Build the API", PhaseStatus.PENDING)
    (entered,) = enter([planned], "build the api", NOON)
    assert entered == phase("Build the API", PhaseStatus.IN_PROGRESS, NOON)


def test_the_phase_under_way_is_completed_before_the_next_is_started() -> None:
    plan, ship = phase("Plan", PhaseStatus.IN_PROGRESS, NOON), phase("Ship", PhaseStatus.PENDING)
    done, started = enter([plan, ship], "Ship", LATER)
    assert done == complete(plan, LATER)
    assert (done.status, done.started_at, done.completed_at) == (
        PhaseStatus.COMPLETED,
        NOON,
        LATER,
    )
    assert started == phase("Ship", PhaseStatus.IN_PROGRESS, LATER)


def test_entering_the_phase_under_way_changes_nothing() -> None:
    assert enter([phase("Plan", PhaseStatus.IN_PROGRESS, NOON)], "PLAN", LATER) == ()


def test_a_completed_phase_can_be_entered_again() -> None:
    done = complete(phase("Plan", PhaseStatus.IN_PROGRESS, NOON), NOON)
    assert enter([done], "Plan", LATER) == (phase("Plan", PhaseStatus.IN_PROGRESS, LATER),)


def test_a_long_name_is_cut() -> None:
    (entered,) = enter([], "n" * 500, NOON)
    assert entered.phase_name == "n" * 120


@given(entered=st.lists(names, min_size=1, max_size=12))
def test_after_any_course_exactly_the_last_named_is_under_way(entered: list[str]) -> None:
    known: tuple[Phase, ...] = ()
    for hour, name in enumerate(entered):
        known = save(known, enter(known, name, NOON + timedelta(hours=hour)))
        under_way = [p for p in known if p.status is PhaseStatus.IN_PROGRESS]
        assert [p.phase_id for p in under_way] == [phase_id(name)]
        assert all(p.completed_at is not None for p in known if p not in under_way)
    assert [p.phase_id for p in known] == list(dict.fromkeys(map(phase_id, entered)))
