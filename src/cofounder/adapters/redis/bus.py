"""The bus between processes: Redis pub/sub, one connection a process."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio.client import PubSub

from cofounder.adapters.redis.connection import FAILURES, RedisConnection
from cofounder.domain.ids import JobId
from cofounder.ports.bus import Bus

_PREFIX, _SUFFIX = "job:", ":events"
_LOOK_INTO_THE_LOG = b""


class RedisBus:
    """`ports.bus.Bus` over Redis; each event's JSON goes over `job:{job_id}:events`.

    A process that listens to any job hears all of them over one connection and picks out
    its own: a subscription costs no round trip, and a lost connection is one to restore.
    Whenever Redis confirms that it listens, every listener is told to look into the log.
    """

    def __init__(self, redis: RedisConnection, fan_out: Bus, *, silence_s: float = 5.0) -> None:
        """`fan_out` hands on what comes in to the listeners of this process.

        A connection that was silent for `silence_s` is asked whether it still works, and
        given up when it does not answer in the same time.
        """
        self._redis, self._fan_out, self._silence_s = redis, fan_out, silence_s
        self._heard: Counter[JobId] = Counter()
        self._listening: asyncio.Task[None] | None = None

    async def publish(self, job_id: JobId, event_json: bytes) -> None:
        """Tell all processes; while Redis is away, none."""
        channel = f"{_PREFIX}{job_id}{_SUFFIX}"
        await self._redis.attempt(lambda redis: redis.publish(channel, event_json))

    @asynccontextmanager
    async def subscribe(self, job_id: JobId) -> AsyncIterator[AsyncIterator[bytes]]:
        """Listen, now or as soon as Redis is there."""
        self._heard[job_id] += 1
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        try:
            async with self._fan_out.subscribe(job_id) as items:
                yield items
        finally:
            self._heard[job_id] -= 1
            if not self._heard[job_id]:
                del self._heard[job_id]

    async def close(self) -> None:
        """End every subscription and give back the connections."""
        await self._fan_out.close()
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait({self._listening})
        await self._redis.close()

    async def _listen(self) -> None:
        while True:
            try:
                async with self._redis.client.pubsub() as channel:
                    await channel.psubscribe(f"{_PREFIX}*{_SUFFIX}")
                    await self._relay(channel)
            except FAILURES as error:
                self._redis.lost(error)
            await self._redis.pause()

    async def _relay(self, channel: PubSub) -> None:
        asked = False
        while True:
            message = await channel.get_message(timeout=self._silence_s)
            if message is None and asked:
                raise TimeoutError("the connection went silent")
            asked = message is None
            if message is None:
                await channel.ping()
            elif message["type"] == "psubscribe":
                self._redis.found()
                await self._tell_all()
            elif message["type"] == "pmessage":
                name = bytes(message["channel"]).decode()
                job_id = JobId(name.removeprefix(_PREFIX).removesuffix(_SUFFIX))
                await self._fan_out.publish(job_id, bytes(message["data"]))

    async def _tell_all(self) -> None:
        for job_id in tuple(self._heard):
            await self._fan_out.publish(job_id, _LOOK_INTO_THE_LOG)
