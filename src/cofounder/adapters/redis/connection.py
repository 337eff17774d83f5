"""A Redis that may be away at any moment, and that must then cost its callers nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from cofounder.domain.errors import ConfigurationError
from cofounder.ports.clock import Clock

T = TypeVar("T")

TIMEOUT_S = 0.5
# What a broken, silent or overloaded Redis comes out as.
FAILURES = (RedisError, OSError, TimeoutError)

_LOG = structlog.get_logger(__name__)


class RedisConnection:
    """One Redis, shared by all who use it; an outage is told once, and so is its end."""

    def __init__(self, url: str, clock: Clock, *, retry_after_s: float = 2.0) -> None:
        """Nothing is connected yet. Raises `ConfigurationError` for a malformed address.

        After a failure nobody tries for `retry_after_s`; then one caller does.
        """
        self.client = _client(url)
        self._clock = clock
        self._retry_after_s = retry_after_s
        self._away = False
        self._next_try_s = 0.0

    async def attempt(self, command: Callable[[Redis], Awaitable[T]]) -> T | None:
        """What `command` returns, or None when Redis is away; never later than 0.5 s."""
        now_s = self._clock.monotonic_s()
        if self._away:
            if now_s < self._next_try_s:
                return None
            # Everybody else goes on skipping while this caller finds out.
            self._next_try_s = now_s + self._retry_after_s
        try:
            async with asyncio.timeout(TIMEOUT_S):
                result = await command(self.client)
        except FAILURES as error:
            self.lost(error)
            return None
        self.found()
        return result

    async def pause(self) -> None:
        """Wait until it is worth trying again."""
        await self._clock.sleep(self._retry_after_s)

    def lost(self, error: Exception) -> None:
        """Take note that Redis does not answer."""
        self._next_try_s = self._clock.monotonic_s() + self._retry_after_s
        if not self._away:
            self._away = True
            _LOG.warning("redis is away", error=str(error) or type(error).__name__)

    def found(self) -> None:
        """Take note that Redis answers."""
        if self._away:
            self._away = False
            _LOG.warning("redis is back")

    async def close(self) -> None:
        """Close all connections."""
        await self.client.aclose()


async def reachable(url: str) -> bool:
    """Whether a Redis answers there. Raises `ConfigurationError` for a malformed address."""
    client = _client(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return bool(await client.ping())
    except FAILURES:
        return False
    finally:
        await client.aclose()


def _client(url: str) -> Redis:
    try:
        return Redis.from_url(
            url,
            protocol=2,
            socket_connect_timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            # Once, at once: a connection from before a restart fails at its next use.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError:
        # Not as the cause: it may quote an address with a password.
        raise ConfigurationError(
            "COFOUNDER_REDIS_URL is no address of a Redis.",
            cure="Write redis://host:6379/0, or rediss:// for TLS.",
        ) from None
