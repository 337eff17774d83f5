"""Time and randomness, handed in so that every rule can be tested at any instant."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Wall clock, monotonic clock and waiting."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds on a clock that never jumps; only differences mean anything."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that long, at least 0."""
        ...


class Ids(Protocol):
    """Where new identifiers and jitter come from."""

    def new(self, prefix: str) -> str:
        """`prefix_` followed by 32 hexadecimal digits that were never used before."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1) to spread waits with."""
        ...
