"""Telling approaches apart, so that the agent knows when it is truly stuck.

An attempt is known by its goal and its strategy, never by the error's text: the same
command that fails with another line number is the same approach.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

APPROACHES_BEFORE_ESCALATION = 3

_NOISE = re.compile(r"0x[0-9a-f]+|\d+|\s+")


@dataclass(frozen=True, kw_only=True)
class FailedAttempt:
    """A tool call that failed. `approach` and `result` are what really happened."""

    goal: str
    strategy: str
    approach: str
    result: str
    at: datetime


def normalized(text: str) -> str:
    """Lower case, numbers as `#`, runs of blanks as one: what makes two texts the same."""
    return _NOISE.sub(lambda m: " " if m.group().isspace() else "#", text.lower()).strip()


def fingerprint(*parts: str) -> str:
    """A short stable name for the parts, taken as normalized text (lone surrogates too)."""
    text = "\x1f".join(normalized(part) for part in parts)
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def distinct_approaches(attempts: Sequence[FailedAttempt]) -> tuple[FailedAttempt, ...]:
    """The latest failure of each strategy, in the order in which they were first tried."""
    latest: dict[str, FailedAttempt] = {}
    for attempt in attempts:
        latest[attempt.strategy] = attempt
    return tuple(latest.values())


def is_stuck(attempts: Sequence[FailedAttempt]) -> bool:
    """Whether enough different approaches to one goal have failed."""
    return len(distinct_approaches(attempts)) >= APPROACHES_BEFORE_ESCALATION
