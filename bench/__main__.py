"""Runs every benchmark and prints its table: `python -m bench [NAME …]`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import loop

BENCHES: dict[str, Callable[[], Awaitable[str]]] = {"loop": loop.measure}


async def main(names: list[str]) -> int:
    """Run the named ones, or all of them. 2 for a name that is none."""
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.stderr.write(f"No such benchmark: {unknown[0]}. There is: {', '.join(BENCHES)}.\n")
        return 2
    for name in names or BENCHES:
        sys.stdout.write(f"{await BENCHES[name]()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
