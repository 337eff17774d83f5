"""A command on a terminal of its own, as a person would use it."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.cli_process import PATIENCE_S, PROGRAM, Cli

COLUMNS, ROWS = 100, 40
ALTERNATE, NORMAL, CURSOR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[?25h"


class Terminal:
    """What the command has shown so far, and its keyboard."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int, line: int) -> None:
        self.process, self._screen, self._line = process, screen, line
        self.shown = ""
        self._waited_for = 0
        self.settings = termios.tcgetattr(line)

    def until(self, words: str) -> None:
        """Read until the words have been shown after whatever was waited for before."""
        while words not in self.shown[self._waited_for :]:
            assert self._read(), f"{words!r} was not shown:\n{self.shown[-3000:]}"
        self._waited_for = self.shown.index(words, self._waited_for) + len(words)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._screen, keys.encode())

    def ended(self) -> int:
        """Read to the end; the exit code."""
        while self.process.poll() is None:
            self._read()
        while self._read(patience_s=0):
            pass
        return self.process.returncode

    def has_its_settings_back(self) -> bool:
        """Whether echo and the like are as they were before."""
        return termios.tcgetattr(self._line) == self.settings

    def _read(self, patience_s: float = PATIENCE_S) -> bool:
        ready, _, _ = select.select([self._screen], [], [], min(patience_s, 1))
        if ready:
            self.shown += os.read(self._screen, 65536).decode(errors="replace")
        return bool(ready) or (patience_s > 1 and self.process.poll() is None)


@contextmanager
def on_terminal(cli: Cli, *arguments: str) -> Iterator[Terminal]:
    """The command, with stdin, stdout and stderr on one terminal."""
    screen, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    with subprocess.Popen(
        [*PROGRAM, *arguments],
        env={**cli.environment, "TERM": "xterm-256color"},
        stdin=line,
        stdout=line,
        stderr=line,
        start_new_session=True,
    ) as process:
        try:
            yield Terminal(process, screen, line)
        finally:
            process.kill()
            process.wait(PATIENCE_S)
            os.close(screen)
            os.close(line)
