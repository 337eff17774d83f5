"""Running a coroutine as the command itself: signals end it with the terminal given back."""

import asyncio
import signal
from collections.abc import Callable, Coroutine

from cofounder.cli.errors import ExitCode

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def in_foreground(work: Coroutine[None, None, ExitCode]) -> ExitCode:
    """Run it to its end; Ctrl+C, or a request to terminate, cancels it."""
    try:
        return asyncio.run(_cancellable(work))
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


async def _cancellable(work: Coroutine[None, None, ExitCode]) -> ExitCode:
    task = asyncio.ensure_future(work)
    on_signals(task.cancel)
    return await task


def on_signals(act: Callable[[], object]) -> None:
    """From now on, have Ctrl+C and a request to terminate call `act` on the event loop."""
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, act)
