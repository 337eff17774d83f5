"""Seeing that the agent goes in a circle: the same actions, with the same results."""

from collections.abc import Sequence
from enum import StrEnum

NUDGE_AFTER = 3
ESCALATE_AFTER = 4


class Rung(StrEnum):
    """How far up the ladder a run of actions has come."""

    NONE = "none"
    NUDGE = "nudge"
    ESCALATE = "escalate"


def rung(actions: Sequence[str]) -> Rung:
    """Where the newest action stands; `actions` are fingerprints of call and result.

    An action that repeats with another result is progress (a poll loop), not a circle,
    which is why the result belongs into the fingerprint.
    """
    run = max(_run_length(actions, period=1), _run_length(actions, period=2) // 2)
    if run >= ESCALATE_AFTER:
        return Rung.ESCALATE
    return Rung.NUDGE if run == NUDGE_AFTER else Rung.NONE


def _run_length(actions: Sequence[str], *, period: int) -> int:
    length = min(period, len(actions))
    while length < len(actions) and actions[-1 - length] == actions[-1 - length + period]:
        length += 1
    return length
