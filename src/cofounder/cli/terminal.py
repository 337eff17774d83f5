"""Where output goes: data on stdout, notes on stderr."""

import json
import sys

from rich.console import Console

# Lines for programs are not cut at the width of a terminal that is not there.
_PIPE_WIDTH = 200


def out() -> Console:
    """stdout for people."""
    return _console(to_stderr=False)


def err() -> Console:
    """stderr for people."""
    return _console(to_stderr=True)


def _console(*, to_stderr: bool) -> Console:
    file = sys.stderr if to_stderr else sys.stdout
    return Console(
        stderr=to_stderr,
        width=None if file.isatty() else _PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )


def print_json(data: bytes) -> None:
    """What the service answered, indented, in ASCII: nothing in it can steer a terminal."""
    sys.stdout.write(json.dumps(json.loads(data), indent=2) + "\n")


def can_ask() -> bool:
    """Whether a person is there to answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()
