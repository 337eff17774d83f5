"""Runs one launcher and all that it starts: output, time limit, and the end of the tree.

A launcher (bubblewrap, or our own for Landlock) gets a pipe and writes one JSON object a
line into it: `{"child-pid": N}` for the process whose death ends the tree, and
`{"exit-code": N}` once the command has run. A launcher that ends without the second was
not able to isolate the command, and the command was not run.

A launcher exits only after its tree is gone. So its exit means that nothing is left
behind, and that the pipe with the output is closed on the other side.
"""

import asyncio
import errno
import json
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from cofounder.domain.errors import InvalidInputError, SandboxUnavailableError
from cofounder.ports.sandbox import Command, CommandResult

# What a launcher that hangs may cost, in seconds, before it is killed itself.
_GRACE_S = 10.0
# Under memory pressure the kernel is to take the command and never the service.
_OOM_SCORE = b"500"


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start a launcher. `argv` is made for the number of its status pipe."""

    argv: Callable[[int], Sequence[str]]
    environment: Mapping[str, str]


class ProcessTree(asyncio.SubprocessProtocol):
    """One running tree. `over` is done when no process of it is left."""

    def __init__(self, *, output_limit_bytes: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = self.loop.create_future()
        self.output = bytearray()
        self.dropped_bytes = 0
        self.exit_code: int | None = None
        self._limit_bytes = output_limit_bytes
        self._transport: asyncio.BaseTransport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._kill_wanted = False
        self._child_pidfd: int | None = None
        self._status_fd = -1
        self._status_rest = b""

    async def start(self, launch: Launch) -> None:
        """Start the launcher. Not to be cancelled; `kill()` works as soon as it returns."""
        self._status_fd, launcher_fd = os.pipe()
        os.set_blocking(self._status_fd, False)
        self.loop.add_reader(self._status_fd, self._read_status)
        try:
            await self.loop.subprocess_exec(
                lambda: self,
                *launch.argv(launcher_fd),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=launch.environment,
                cwd="/",
                pass_fds=(launcher_fd,),
                start_new_session=True,
            )
        except BaseException:
            self._finish()
            raise
        finally:
            os.close(launcher_fd)

    def kill(self) -> None:
        """Ask for the end of every process of the tree; `over` tells when it has come."""
        self._kill_wanted = True
        if self._child_pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._child_pidfd, signal.SIGKILL)
        self._give_up_later()

    async def end(self) -> None:
        """Kill the tree, if it still runs, and wait for its end. In its own event loop."""
        if not self.over.done():
            self.kill()
            await _to_the_end(self.over)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The launcher runs."""
        self._transport = transport

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """Keep what fits and count the rest, so that the command is never held up."""
        room = max(0, self._limit_bytes - len(self.output))
        self.output += data[:room]
        self.dropped_bytes += max(0, len(data) - room)

    def process_exited(self) -> None:
        """The launcher has ended; what is left in its pipe still follows."""
        self._give_up_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """The launcher has ended and its output is read to the end."""
        self._read_status()
        self._finish()

    def _give_up_later(self) -> None:
        if self._timer is None and self._transport is not None:
            self._timer = self.loop.call_later(_GRACE_S, self._transport.close)

    def _finish(self) -> None:
        if self.over.done():
            return
        self.loop.remove_reader(self._status_fd)
        os.close(self._status_fd)
        if self._child_pidfd is not None:
            os.close(self._child_pidfd)
            self._child_pidfd = None
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        self.over.set_result(None)

    def _read_status(self) -> None:
        try:
            chunk = os.read(self._status_fd, 65_536)
        except BlockingIOError:
            return
        if not chunk:
            self.loop.remove_reader(self._status_fd)
        *lines, self._status_rest = (self._status_rest + chunk).split(b"\n")
        for line in lines:
            self._learn(json.loads(line))

    def _learn(self, status: Mapping[str, int]) -> None:
        if "exit-code" in status:
            self.exit_code = status["exit-code"]
        if "child-pid" in status and self._child_pidfd is None:
            self._watch(status["child-pid"])

    def _watch(self, pid: int) -> None:
        with suppress(OSError):  # It may have ended already.
            self._child_pidfd = os.pidfd_open(pid)
            with open(f"/proc/{pid}/oom_score_adj", "wb", buffering=0) as score:
                score.write(_OOM_SCORE)
        if self._kill_wanted:
            self.kill()


async def run_tree(launch: Launch, command: Command, running: set[ProcessTree]) -> CommandResult:
    """Run a command to its end; its tree is in `running` meanwhile.

    Time is the event loop's, because processes live in real time. On cancellation the
    tree is dead before the cancellation goes on. Raises `SandboxUnavailableError` when
    the command could not be isolated, `InvalidInputError` when no process takes its argv.
    """
    tree = ProcessTree(output_limit_bytes=command.output_limit_bytes)
    started_s = asyncio.get_running_loop().time()
    running.add(tree)
    try:
        await _to_the_end(_start(tree, launch))
        await asyncio.wait({tree.over}, timeout=command.timeout_s)
        timed_out = not tree.over.done()
    finally:
        await tree.end()
        running.discard(tree)
    if tree.exit_code is None and not timed_out:
        raise _unavailable(f"The command was not run: {_last_line(tree.output)}")
    return CommandResult(
        exit_code=None if timed_out else tree.exit_code,
        output=bytes(tree.output),
        dropped_bytes=tree.dropped_bytes,
        duration_s=asyncio.get_running_loop().time() - started_s,
    )


async def _start(tree: ProcessTree, launch: Launch) -> None:
    try:
        await tree.start(launch)
    except ValueError as error:  # A NUL or a lone surrogate in it.
        raise InvalidInputError(f"No process takes this: {error}", field="argv") from error
    except OSError as error:
        if error.errno == errno.E2BIG:
            raise InvalidInputError(
                "The command line is too long.",
                field="argv",
                cure="Write it to a file and run that.",
            ) from error
        raise _unavailable(f"The sandbox does not start: {error}") from error


async def _to_the_end(work: Coroutine[None, None, None] | asyncio.Future[None]) -> None:
    """Wait for `work` even when cancelled meanwhile; then the cancellation goes on."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled


def _unavailable(message: str) -> SandboxUnavailableError:
    return SandboxUnavailableError(
        message, cure="Run `cofounder doctor` to see what the sandbox lacks."
    )


def _last_line(output: bytearray) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "the launcher ended without a word"
