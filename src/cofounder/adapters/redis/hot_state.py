"""The mirror of sessions' states in Redis. Each key has a lifetime; SQL is the truth."""

from collections.abc import Sequence
from datetime import UTC, datetime

from redis.asyncio import Redis

from cofounder.adapters.redis.connection import RedisConnection
from cofounder.domain.ids import SessionId

_STATE_TTL_S = 90_000
_BUDGET_PCT_TTL_S = 90
# Some milliseconds of the event loop's time: thousands may sleep.
_ASKED_AT_ONCE = 500


class RedisHotState:
    """`ports.hot_state.HotState` on Redis; what cannot be written is left out."""

    def __init__(self, redis: RedisConnection) -> None:
        """`redis` may be shared; `close` closes it."""
        self._redis = redis

    async def set_state(self, session_id: SessionId, state: str) -> None:
        """`cofounder:agent:{session_id}:state`, 90 000 s."""
        await self._set(_key(session_id, "state"), state, _STATE_TTL_S)

    async def set_budget_pct(self, session_id: SessionId, budget_pct: int) -> None:
        """`cofounder:agent:{session_id}:budget_pct`, an integer 0-100, 90 s."""
        await self._set(_key(session_id, "budget_pct"), str(budget_pct), _BUDGET_PCT_TTL_S)

    async def set_wake_at(self, session_id: SessionId, wake_at: datetime, *, now: datetime) -> None:
        """`cofounder:agent:{session_id}:wake_at`, ISO 8601 UTC, as long as the sleep lasts."""
        instant = wake_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        ttl_s = max(1, int((wake_at - now).total_seconds()))
        await self._set(_key(session_id, "wake_at"), instant, ttl_s)

    async def clear_wake_at(self, session_id: SessionId) -> None:
        """Take `wake_at` away when the sleep ended early."""
        await self._redis.attempt(lambda redis: redis.delete(_key(session_id, "wake_at")))

    async def take_wake_signals(self, session_ids: Sequence[SessionId]) -> Sequence[SessionId]:
        """Those of the sessions for which somebody set `wake_signal`; each is told once."""
        if not session_ids:
            return ()
        return await self._redis.attempt(lambda redis: _take(redis, session_ids)) or ()

    async def close(self) -> None:
        """Give back the connections."""
        await self._redis.close()

    async def _set(self, key: str, value: str, ttl_s: int) -> None:
        await self._redis.attempt(lambda redis: redis.set(key, value, ex=ttl_s))


def _key(session_id: SessionId, name: str) -> str:
    return f"cofounder:agent:{session_id}:{name}"


async def _take(redis: Redis, session_ids: Sequence[SessionId]) -> Sequence[SessionId]:
    taken: list[SessionId] = []
    for start in range(0, len(session_ids), _ASKED_AT_ONCE):
        taken += await _take_part(redis, session_ids[start : start + _ASKED_AT_ONCE])
    return tuple(taken)


async def _take_part(redis: Redis, session_ids: Sequence[SessionId]) -> list[SessionId]:
    values = await redis.mget([_key(session_id, "wake_signal") for session_id in session_ids])
    signalled = [s for s, value in zip(session_ids, values, strict=True) if value is not None]
    if not signalled:
        return []
    # Several may look at once: the signal is theirs who deleted the key.
    async with redis.pipeline(transaction=False) as pipeline:
        for session_id in signalled:
            pipeline.delete(_key(session_id, "wake_signal"))
        deleted = await pipeline.execute()
    return [s for s, count in zip(signalled, deleted, strict=True) if count]
