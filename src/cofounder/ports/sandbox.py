"""Where the agent acts: one workspace per job, isolated from the host and from others."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Isolation(StrEnum):
    """How strongly commands are held."""

    FULL = "bubblewrap"
    REDUCED = "landlock"


@dataclass(frozen=True, kw_only=True)
class Command:
    """One process tree to run in the workspace.

    `argv` is executed as it is; `cwd` is relative to the workspace. When `timeout_s` is
    over, the whole tree is killed. At most `output_limit_bytes` of the interleaved
    stdout and stderr are kept, from the front; the rest is read and counted.
    """

    argv: tuple[str, ...]
    timeout_s: float = 120.0
    cwd: str = "."
    output_limit_bytes: int = 4_000_000


@dataclass(frozen=True, kw_only=True)
class CommandResult:
    """What a command did. `exit_code` is None when it was killed at its time limit."""

    exit_code: int | None
    output: bytes
    dropped_bytes: int
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class FileEntry:
    """A regular file in the workspace; `path` is relative, with forward slashes."""

    path: str
    size_bytes: int


class Workspace(Protocol):
    """The files of one job and the commands that run among them.

    Paths are relative to the workspace's root. A path that leaves it (also by a symbolic
    link, also by one swapped in meanwhile) or that is no regular file raises
    `SandboxPathError`; a missing one `FileNotFoundError`.
    """

    @property
    def isolation(self) -> Isolation:
        """The mode in force, for the label that people see."""
        ...

    async def run(self, command: Command) -> CommandResult:
        """Run without network, seeing only the workspace and the system's programs.

        Cancelling the awaiting task kills the tree before the cancellation goes on.
        """
        ...

    async def read(self, path: str, *, limit_bytes: int = 10_000_000) -> bytes:
        """The file's first `limit_bytes` bytes."""
        ...

    async def write(self, path: str, content: bytes) -> None:
        """Replace the file as a whole (atomically), making folders as needed."""
        ...

    async def list_files(self, *, limit: int = 10_000) -> Sequence[FileEntry]:
        """Regular files in path order, links not followed, `.git` and
        `.cofounder` left out."""
        ...


class Sandbox(Protocol):
    """Gives each job its workspace."""

    @property
    def isolation(self) -> Isolation:
        """The mode in force."""
        ...

    async def open(self, job_id: str) -> Workspace:
        """The job's workspace, made when it is not there yet.

        Raises `ConfigurationError` when the folder cannot be written.
        """
        ...

    async def close(self) -> None:
        """Kill what still runs and give everything back."""
        ...
