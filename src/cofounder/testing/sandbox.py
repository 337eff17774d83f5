"""A sandbox in memory: files in a dictionary, commands answered by a function."""

import posixpath
import re
from collections.abc import Callable, Sequence

from cofounder.domain.errors import InvalidInputError, SandboxPathError, SandboxUnavailableError
from cofounder.ports.sandbox import Command, CommandResult, FileEntry, Isolation

_JOB_ID = re.compile(r"[A-Za-z0-9_-]+")
_MOUNT_POINT = "/workspace"
_HIDDEN = frozenset({".git", ".cofounder"})

SUCCESS = CommandResult(exit_code=0, output=b"", dropped_bytes=0, duration_s=0.0)


def succeed(command: Command) -> CommandResult:
    """The answer to a command that nobody scripted: it ended well and said nothing."""
    return SUCCESS


class InMemoryWorkspace:
    """The files of one job, by relative path, and the commands that it was asked to run."""

    def __init__(self, answer: Callable[[Command], CommandResult], isolation: Isolation) -> None:
        self.files: dict[str, bytes] = {}
        self.commands: list[Command] = []
        self._answer = answer
        self._isolation = isolation

    @property
    def isolation(self) -> Isolation:
        """The mode that it was told to show."""
        return self._isolation

    async def run(self, command: Command) -> CommandResult:
        """Note the command and answer it; the answer's output is cut at the limit."""
        if not command.argv or not command.argv[0] or any("\0" in part for part in command.argv):
            raise InvalidInputError("There is no such command.", field="argv")
        folder = _relative(command.cwd)
        if folder != "." and not any(name.startswith(folder + "/") for name in self.files):
            raise FileNotFoundError(command.cwd)
        self.commands.append(command)
        result = self._answer(command)
        kept = result.output[: command.output_limit_bytes]
        return CommandResult(
            exit_code=result.exit_code,
            output=kept,
            dropped_bytes=result.dropped_bytes + len(result.output) - len(kept),
            duration_s=result.duration_s,
        )

    async def read(self, path: str, *, limit_bytes: int = 10_000_000) -> bytes:
        """The file's first `limit_bytes` bytes."""
        name = self._file(path)
        if name not in self.files:
            raise FileNotFoundError(path)
        return self.files[name][:limit_bytes]

    async def write(self, path: str, content: bytes) -> None:
        """Replace the file. A folder cannot be where a file is, nor the other way round."""
        name = self._file(path)
        parents = name.split("/")[:-1]
        if any("/".join(parents[: depth + 1]) in self.files for depth in range(len(parents))):
            raise _refused(path, "a part of it is a file")
        self.files[name] = content

    async def list_files(self, *, limit: int = 10_000) -> Sequence[FileEntry]:
        """All files in path order but those of `.git` and `.cofounder`."""
        shown = sorted(name for name in self.files if _HIDDEN.isdisjoint(name.split("/")))
        return [FileEntry(path=name, size_bytes=len(self.files[name])) for name in shown[:limit]]

    def _file(self, path: str) -> str:
        name = _relative(path)
        if name == "." or any(other.startswith(name + "/") for other in self.files):
            raise _refused(path, "it is a folder")
        return name


class InMemorySandbox:
    """`ports.sandbox.Sandbox` without processes; nothing in it isolates anything.

    `answer` is asked for the result of every command.
    """

    def __init__(
        self,
        answer: Callable[[Command], CommandResult] = succeed,
        *,
        isolation: Isolation = Isolation.FULL,
    ) -> None:
        self.workspaces: dict[str, InMemoryWorkspace] = {}
        self._answer = answer
        self._isolation = isolation
        self._closed = False

    @property
    def isolation(self) -> Isolation:
        """The mode that it was told to show."""
        return self._isolation

    async def open(self, job_id: str) -> InMemoryWorkspace:
        """The job's workspace, the same at every call."""
        if self._closed:
            raise SandboxUnavailableError("The sandbox is closed.")
        if not _JOB_ID.fullmatch(job_id):
            raise InvalidInputError(f"{job_id!r} is no job's identifier.", field="job_id")
        fresh = InMemoryWorkspace(self._answer, self._isolation)
        return self.workspaces.setdefault(job_id, fresh)

    async def close(self) -> None:
        """No workspace is opened after this."""
        self._closed = True


def _relative(path: str) -> str:
    if path == _MOUNT_POINT or path.startswith(_MOUNT_POINT + "/"):
        path = path.removeprefix(_MOUNT_POINT).lstrip("/")
    normal = posixpath.normpath(path or ".")
    if normal.startswith(("/", "../")) or normal == ".." or "\0" in normal:
        raise _refused(path, "it is outside of the workspace")
    return normal


def _refused(path: str, reason: str) -> SandboxPathError:
    return SandboxPathError(
        f"{path!r} is refused: {reason}.",
        field="path",
        cure="Name a regular file by its path relative to the workspace.",
    )
