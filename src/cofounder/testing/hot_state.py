"""The hot state in memory, with lifetimes by the clock that is handed in."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cofounder.domain.ids import SessionId
from cofounder.ports.clock import Clock


class MemoryHotState:
    """`ports.hot_state.HotState` for tests, under the same keys as in Redis."""

    def __init__(self, clock: Clock) -> None:
        """`clock` says when a key has expired."""
        self._clock = clock
        self._values: dict[str, tuple[str, float]] = {}

    async def set_state(self, session_id: SessionId, state: str) -> None:
        """`cofounder:agent:{session_id}:state`, 90 000 s."""
        self.set(_key(session_id, "state"), state, ttl_s=90_000)

    async def set_budget_pct(self, session_id: SessionId, budget_pct: int) -> None:
        """`cofounder:agent:{session_id}:budget_pct`, an integer 0-100, 90 s."""
        self.set(_key(session_id, "budget_pct"), str(budget_pct), ttl_s=90)

    async def set_wake_at(self, session_id: SessionId, wake_at: datetime, *, now: datetime) -> None:
        """`cofounder:agent:{session_id}:wake_at`, ISO 8601 UTC, as long as the sleep lasts."""
        instant = wake_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        ttl_s = max(1, int((wake_at - now).total_seconds()))
        self.set(_key(session_id, "wake_at"), instant, ttl_s=ttl_s)

    async def clear_wake_at(self, session_id: SessionId) -> None:
        """Take `wake_at` away when the sleep ended early."""
        self._values.pop(_key(session_id, "wake_at"), None)

    async def take_wake_signals(self, session_ids: Sequence[SessionId]) -> Sequence[SessionId]:
        """Those of the sessions for which somebody set `wake_signal`; each is told once."""
        keys = {session_id: _key(session_id, "wake_signal") for session_id in session_ids}
        taken = tuple(session_id for session_id, key in keys.items() if self.get(key) is not None)
        for session_id in taken:
            del self._values[keys[session_id]]
        return taken

    async def close(self) -> None:
        """Forget everything."""
        self._values.clear()

    def set(self, key: str, value: str, *, ttl_s: int) -> None:
        """Set a key from outside, a `wake_signal` for instance."""
        self._values[key] = (value, self._clock.monotonic_s() + ttl_s)

    def get(self, key: str) -> str | None:
        """The value, unless the key is absent or has expired."""
        return self._values[key][0] if self.ttl_s(key) > 0 else None

    def ttl_s(self, key: str) -> float:
        """Seconds for which the key will still be there, 0 when it is not."""
        _, expires_s = self._values.get(key, ("", 0.0))
        return max(0.0, expires_s - self._clock.monotonic_s())


def _key(session_id: SessionId, name: str) -> str:
    return f"cofounder:agent:{session_id}:{name}"
