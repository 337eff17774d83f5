"""Time that stands still until a test moves it, and identifiers that can be foreseen."""

import asyncio
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

_TURNS_OF_THE_LOOP = 50


@dataclass(order=True)
class _Sleeper:
    due_s: float
    order: int
    woken: "asyncio.Future[None]" = field(compare=False)


class _LetOthersRun:
    """Awaiting it gives the event loop one turn."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class FakeClock:
    """`ports.clock.Clock` for tests: starts at `now` (aware, UTC), moved by `advance`."""

    def __init__(self, now: datetime) -> None:
        self._start = now
        self._passed_s = 0.0
        self._order = count()
        self._sleepers: list[_Sleeper] = []
        self._fell_asleep = asyncio.Event()

    def now(self) -> datetime:
        """The instant to which the clock was moved."""
        return self._start + timedelta(seconds=self._passed_s)

    def monotonic_s(self) -> float:
        """Seconds by which the clock was moved altogether."""
        return self._passed_s

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock was moved that far; 0 or less only lets others run."""
        if seconds <= 0:
            await _LetOthersRun()
            return
        woken = asyncio.get_running_loop().create_future()
        heappush(self._sleepers, _Sleeper(self._passed_s + seconds, next(self._order), woken))
        self._fell_asleep.set()
        await woken

    @property
    def sleepers(self) -> int:
        """How many tasks wait for this clock."""
        return sum(not sleeper.woken.done() for sleeper in self._sleepers)

    async def until_asleep(self, tasks: int = 1) -> None:
        """Wait until at least so many tasks wait for this clock."""
        while self.sleepers < tasks:
            self._fell_asleep.clear()
            await self._fell_asleep.wait()

    async def advance(self, seconds: float) -> None:
        """Move time on, and wake each sleeper at its own instant, in order.

        Everything that is woken runs as far as it can without waiting for input or output
        before time moves on; what falls asleep again on the way is woken too, if due.
        """
        target_s = self._passed_s + seconds
        await _settle()
        while self._sleepers and self._sleepers[0].due_s <= target_s:
            sleeper = heappop(self._sleepers)
            if sleeper.woken.done():
                continue
            self._passed_s = max(self._passed_s, sleeper.due_s)
            sleeper.woken.set_result(None)
            await _settle()
        self._passed_s = max(self._passed_s, target_s)
        await _settle()


async def _settle() -> None:
    for _ in range(_TURNS_OF_THE_LOOP):
        await _LetOthersRun()


class SequentialIds:
    """`ports.clock.Ids` for tests: counts from 1; every jitter is `jitter_is`."""

    def __init__(self, *, jitter_is: float = 0.0) -> None:
        self._numbers = count(1)
        self._jitter = jitter_is

    def new(self, prefix: str) -> str:
        """`prefix_` and the next number, as 32 hexadecimal digits."""
        return f"{prefix}_{next(self._numbers):032x}"

    def jitter(self) -> float:
        """Always the same number."""
        return self._jitter
