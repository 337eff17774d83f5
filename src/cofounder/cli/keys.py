"""Single keys from the terminal, as they are pressed."""

import asyncio
import os
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def pressed_keys() -> Iterator[asyncio.Queue[str]]:
    """Keys arrive in the queue, unechoed, until the block ends; Ctrl+C stays a signal."""
    keys: asyncio.Queue[str] = asyncio.Queue()
    terminal = sys.stdin.fileno()

    def read() -> None:
        pressed = os.read(terminal, 64)
        if not pressed:
            loop.remove_reader(terminal)
        for key in pressed.decode(errors="ignore"):
            keys.put_nowait(key)

    loop = asyncio.get_running_loop()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal, termios.TCSANOW)
    loop.add_reader(terminal, read)
    try:
        yield keys
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
