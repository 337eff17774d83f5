"""The strict provider as a process of its own, for tests that kill its clients.

One line of JSON on standard output, with `port` and `base_url`, says that it is ready. It
ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from cofounder.testing.provider.script import Script, read_script
from cofounder.testing.provider.server import StrictProvider


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cofounder.testing.provider")
    parser.add_argument("--script", type=Path, help="a JSON file; else PUT it to /_script")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--api-key", default="test-key", help="the key that clients must send")
    return parser.parse_args()


async def _run(script: Script, port: int, api_key: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with StrictProvider(script, port=port, api_key=api_key) as provider:
        ready = {"port": provider.port, "base_url": provider.base_url}
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Serve until told to stop."""
    arguments = _arguments()
    script = read_script(arguments.script.read_bytes()) if arguments.script else Script()
    asyncio.run(_run(script, arguments.port, arguments.api_key))


if __name__ == "__main__":
    main()
