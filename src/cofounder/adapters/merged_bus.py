"""Two buses as one: this process at once, other processes through Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cofounder.domain.ids import JobId
from cofounder.ports.bus import Bus

_WAITING = 1000


class MergedBus:
    """Implements `ports.bus.Bus`. An event of this process comes twice; `seq` tells."""

    def __init__(self, local: Bus, remote: Bus) -> None:
        """`local` is told first: its listeners never wait for the network."""
        self._local, self._remote = local, remote

    async def publish(self, job_id: JobId, event_json: bytes) -> None:
        """Tell both."""
        await self._local.publish(job_id, event_json)
        await self._remote.publish(job_id, event_json)

    @asynccontextmanager
    async def subscribe(self, job_id: JobId) -> AsyncIterator[AsyncIterator[bytes]]:
        """Listen to both."""
        items: asyncio.Queue[bytes] = asyncio.Queue(_WAITING)
        async with (
            self._local.subscribe(job_id) as local,
            self._remote.subscribe(job_id) as remote,
        ):
            # The local bus ends the subscription when the service stops, the remote never does.
            pumps = [asyncio.create_task(_pump(source, items)) for source in (local, remote)]
            try:
                yield _drain(items, pumps[0])
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.wait(pumps)

    async def close(self) -> None:
        """End every subscription."""
        await self._local.close()
        await self._remote.close()


async def _pump(source: AsyncIterator[bytes], items: asyncio.Queue[bytes]) -> None:
    async for item in source:
        await items.put(item)


async def _drain(items: asyncio.Queue[bytes], local: asyncio.Task[None]) -> AsyncIterator[bytes]:
    while not local.done() or not items.empty():
        getter = asyncio.create_task(items.get())
        try:
            await asyncio.wait({getter, local}, return_when=asyncio.FIRST_COMPLETED)
            if getter.done():
                yield getter.result()
        finally:
            getter.cancel()
