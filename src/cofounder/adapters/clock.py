"""The machine's clocks and its randomness: the only place that reads either."""

import asyncio
import random
import secrets
import time
from datetime import UTC, datetime


class SystemClock:
    """`ports.clock.Clock` on the machine's clocks."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Seconds on a clock that never jumps; only differences mean anything."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait that long, at least 0."""
        await asyncio.sleep(max(0.0, seconds))


class RandomIds:
    """`ports.clock.Ids`: 64 bits of time in nanoseconds, then 64 random bits.

    Identifiers that one machine makes therefore sort by creation, which keeps new rows
    side by side in an index.
    """

    def new(self, prefix: str) -> str:
        """`prefix_` followed by 32 hexadecimal digits that were never used before."""
        return f"{prefix}_{time.time_ns():016x}{secrets.token_hex(8)}"

    def jitter(self) -> float:
        """A number in [0, 1) to spread waits with."""
        return random.random()
