"""Every move of a session, against the contract's table."""

import pytest

from cofounder.domain.errors import ConflictError
from cofounder.domain.session import ASLEEP, ENDED, MOVES, SessionState, check_move

# The table of the contract, row by row.
TABLE = {
    "queued": {"working"},
    "working": {"sleeping", "budget_exceeded", "waiting_for_input", "completed", "error"},
    "sleeping": {"queued"},
    "budget_exceeded": {"queued"},
    "waiting_for_input": {"queued"},
    "paused": {"queued"},
    "error": {"queued"},
    "completed": set(),
    "cancelled": set(),
}
# "Any live": what still goes on by itself can be paused, what has not ended can be cancelled.
CAN_BE_PAUSED = {"queued", "working", "sleeping", "budget_exceeded", "waiting_for_input"}
CAN_BE_CANCELLED = {*CAN_BE_PAUSED, "paused", "error"}
# Not in the table: a worker that is asked to stop gives its unfinished turn back.
GIVEN_BACK = ("working", "queued")

STATES = (
    "queued",
    "working",
    "sleeping",
    "waiting_for_input",
    "paused",
    "budget_exceeded",
    "error",
    "completed",
    "cancelled",
)


def is_allowed(current: str, target: str) -> bool:
    """What the contract says."""
    if target == "paused":
        return current in CAN_BE_PAUSED
    if target == "cancelled":
        return current in CAN_BE_CANCELLED
    return target in TABLE[current] or (current, target) == GIVEN_BACK


def test_the_states_are_the_contracts() -> None:
    assert {state.value for state in SessionState} == set(STATES)
    assert set(MOVES) == set(SessionState)


@pytest.mark.parametrize("target", STATES)
@pytest.mark.parametrize("current", STATES)
def test_every_move(current: str, target: str) -> None:
    if is_allowed(current, target):
        check_move(SessionState(current), SessionState(target))
    else:
        with pytest.raises(ConflictError, match=f"{current} cannot become {target}") as caught:
            check_move(SessionState(current), SessionState(target))
        assert caught.value.cure


def test_only_the_ended_states_have_no_way_on() -> None:
    assert {state.value for state in ENDED} == {"completed", "cancelled"}
    assert {state for state, targets in MOVES.items() if not targets} == ENDED


def test_every_sleep_and_every_stop_leads_back_to_the_queue() -> None:
    assert {state.value for state in ASLEEP} == {"sleeping", "budget_exceeded"}
    for state in set(SessionState) - ENDED - {SessionState.QUEUED}:
        assert SessionState.QUEUED in MOVES[state]


def test_work_begins_from_the_queue_only() -> None:
    before_work = {state for state, targets in MOVES.items() if SessionState.WORKING in targets}
    assert before_work == {SessionState.QUEUED}
