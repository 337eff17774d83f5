"""Redis goes away and comes back: nobody is held up, nothing raises, listeners recover."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from cofounder.adapters.bus import InProcessBus
from cofounder.adapters.clock import SystemClock
from cofounder.adapters.redis import RedisBus, RedisConnection, RedisHotState, reachable
from cofounder.domain.ids import JobId, SessionId
from tests.servers.ports import free_port

pytestmark = pytest.mark.anyio

JOB, SESSION = JobId("job_a"), SessionId("ses_a")
PATIENCE_S = 10.0


class Server:
    """A Redis of the test's own, to be killed."""

    def __init__(self, folder: Path) -> None:
        self._program = shutil.which("redis-server") or shutil.which("valkey-server")
        self._folder, self._port = folder, free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        if self._program is None:
            pytest.skip("Redis is missing: install redis-server or valkey-server.")
        options = f"--bind 127.0.0.1 --port {self._port} --appendonly no --save"
        self._process = await asyncio.create_subprocess_exec(
            self._program, *options.split(), "", cwd=self._folder, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            if b"eady to accept connections" in line:
                return
        pytest.fail("Redis did not start.")

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    def freeze(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGCONT)


class Rig:
    def __init__(self, url: str, *, retry_after_s: float = 0.2) -> None:
        self.clock = SystemClock()
        self.redis = RedisConnection(url, self.clock, retry_after_s=retry_after_s)
        self.bus = RedisBus(self.redis, InProcessBus(), silence_s=0.2)
        self.hot = RedisHotState(self.redis)

    async def write_everything(self) -> float:
        """Seconds that one use of every operation took."""
        began_s = self.clock.monotonic_s()
        now = self.clock.now()
        await self.hot.set_state(SESSION, "working")
        await self.hot.set_budget_pct(SESSION, 1)
        await self.hot.set_wake_at(SESSION, now, now=now)
        await self.hot.clear_wake_at(SESSION)
        assert await self.hot.take_wake_signals([SESSION]) == ()
        await self.bus.publish(JOB, b"event")
        return self.clock.monotonic_s() - began_s

    async def until_written(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.redis.attempt(lambda redis: redis.ping()) is None:
                await self.redis.pause()

    async def times_asked(self) -> int:
        """How often the listening connection was asked whether it still works."""
        commands = await self.redis.client.info("commandstats")
        return int(commands.get("cmdstat_ping", {"calls": 0})["calls"])


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    server = Server(tmp_path)
    yield server
    await server.kill()


@pytest.fixture
async def rig(server: Server) -> AsyncIterator[Rig]:
    rig = Rig(server.url)
    yield rig
    await rig.bus.close()
    await rig.hot.close()


async def next_item(items: AsyncIterator[bytes]) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await anext(items)


async def test_a_redis_that_was_never_there_costs_nothing(rig: Rig) -> None:
    assert await rig.write_everything() < 0.5


async def test_an_outage_and_its_end_are_told_once_each(server: Server, rig: Rig) -> None:
    await server.start()
    await rig.write_everything()
    with capture_logs() as told:
        await server.kill()
        for _ in range(3):
            assert await rig.write_everything() < 0.5
        await server.start()
        await rig.until_written()
        await rig.write_everything()
    assert [line["event"] for line in told] == ["redis is away", "redis is back"]


async def test_a_frozen_redis_holds_up_one_caller_for_half_a_second(server: Server) -> None:
    await server.start()
    rig = Rig(server.url, retry_after_s=60.0)
    await rig.write_everything()
    server.freeze()
    assert 0.4 < await rig.write_everything() < 1.0
    assert await rig.write_everything() < 0.1
    assert not await reachable(server.url)
    await rig.hot.close()


async def test_a_restart_costs_no_write(server: Server, rig: Rig) -> None:
    await server.start()
    await rig.write_everything()
    await server.kill()
    await server.start()
    assert await rig.redis.attempt(lambda redis: redis.ping()) is True


async def test_a_flushed_redis_is_written_to_as_before(server: Server, rig: Rig) -> None:
    await server.start()
    await rig.hot.set_state(SESSION, "working")
    await rig.redis.client.flushall()
    await rig.hot.set_state(SESSION, "sleeping")
    assert await rig.redis.client.get("cofounder:agent:ses_a:state") == b"sleeping"


async def test_a_listener_outlives_an_outage_and_is_sent_to_the_log(
    server: Server, rig: Rig
) -> None:
    await server.start()
    async with rig.bus.subscribe(JOB) as items:
        assert await next_item(items) == b""
        await rig.bus.publish(JOB, b"before")
        assert await next_item(items) == b"before"
        await server.kill()
        await rig.bus.publish(JOB, b"lost")
        await server.start()
        assert await next_item(items) == b""
        await rig.until_written()
        await rig.bus.publish(JOB, b"after")
        assert await next_item(items) == b"after"


async def test_who_listens_before_there_is_a_redis_hears_it_come(server: Server, rig: Rig) -> None:
    async with rig.bus.subscribe(JOB) as items:
        await rig.bus.publish(JOB, b"lost")
        await server.start()
        assert await next_item(items) == b""
        await rig.until_written()
        await rig.bus.publish(JOB, b"heard")
        assert await next_item(items) == b"heard"


async def test_a_cut_connection_is_restored(server: Server, rig: Rig) -> None:
    await server.start()
    async with rig.bus.subscribe(JOB) as items:
        assert await next_item(items) == b""
        assert await rig.redis.client.client_kill_filter(_type="pubsub") == 1
        assert await next_item(items) == b""
        await rig.until_written()
        await rig.bus.publish(JOB, b"after")
        assert await next_item(items) == b"after"


async def test_a_connection_that_went_silent_is_replaced(server: Server, rig: Rig) -> None:
    await server.start()
    async with rig.bus.subscribe(JOB) as items:
        assert await next_item(items) == b""
        with capture_logs() as told:
            server.freeze()
            async with asyncio.timeout(PATIENCE_S):
                while not told:
                    await rig.redis.pause()
        server.thaw()
        assert await next_item(items) == b""
        await rig.until_written()
        await rig.bus.publish(JOB, b"after")
        assert await next_item(items) == b"after"


async def test_a_silent_connection_that_answers_is_kept(server: Server, rig: Rig) -> None:
    await server.start()
    async with rig.bus.subscribe(JOB) as items:
        assert await next_item(items) == b""
        async with asyncio.timeout(PATIENCE_S):
            while await rig.times_asked() < 3:
                await rig.redis.pause()
        await rig.bus.publish(JOB, b"event")
        assert await next_item(items) == b"event"
