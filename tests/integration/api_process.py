"""The service as a process of its own: prints its address, ends on SIGTERM."""

import asyncio
import signal
import sys

from tests.integration.api_service import api_service


async def serve(store_url: str) -> None:
    """Serve until SIGTERM."""
    async with api_service(store_url) as api:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, api.parts.server.stop)
        sys.stdout.write(f"{api.url}\n")
        sys.stdout.flush()
        await api.serving


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
