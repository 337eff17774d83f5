"""Workspaces as folders of the host, with commands started through a launcher."""

import asyncio
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from cofounder.adapters.sandbox.files import WorkspaceFiles
from cofounder.adapters.sandbox.process_tree import Launch, ProcessTree, run_tree
from cofounder.domain.errors import (
    ConfigurationError,
    InvalidInputError,
    SandboxPathError,
    SandboxUnavailableError,
)
from cofounder.ports.sandbox import Command, CommandResult, FileEntry, Isolation

_JOB_ID = re.compile(r"[A-Za-z0-9_-]+")
# Screenshots and long outputs are kept there; they are no part of the project.
_IGNORED = ".cofounder/.gitignore"


class Launcher(Protocol):
    """Isolates one command. See `process_tree` for what it says on its status pipe."""

    @property
    def isolation(self) -> Isolation:
        """How strongly."""
        ...

    def launch(self, folder: Path, command: Command) -> Launch:
        """How to run a command in a workspace folder."""
        ...


@dataclass(frozen=True, kw_only=True)
class HostWorkspace:
    """`ports.sandbox.Workspace` over a folder of the host."""

    folder: Path
    launcher: Launcher
    files: WorkspaceFiles
    running: set[ProcessTree] = field(repr=False)

    @property
    def isolation(self) -> Isolation:
        """The mode in force."""
        return self.launcher.isolation

    async def run(self, command: Command) -> CommandResult:
        """Run one command. See the port; `InvalidInputError` for an impossible argv."""
        if not command.argv or not command.argv[0]:
            raise InvalidInputError("There is no command to run.", field="argv")
        checked = replace(command, cwd=self.files.check_folder(command.cwd))
        return await run_tree(self.launcher.launch(self.folder, checked), checked, self.running)

    async def read(self, path: str, *, limit_bytes: int = 10_000_000) -> bytes:
        """The file's first `limit_bytes` bytes."""
        return await self.files.read(path, limit_bytes=limit_bytes)

    async def write(self, path: str, content: bytes) -> None:
        """Replace the file as a whole, making folders as needed."""
        await self.files.write(path, content)

    async def list_files(self, *, limit: int = 10_000) -> Sequence[FileEntry]:
        """Regular files in path order."""
        return await self.files.list_files(limit=limit)


class HostSandbox:
    """`ports.sandbox.Sandbox` with one folder per job beneath `root`."""

    def __init__(self, *, root: Path, launcher: Launcher) -> None:
        self._root = root
        self._launcher = launcher
        self._running: set[ProcessTree] = set()
        self._closed = False

    @property
    def isolation(self) -> Isolation:
        """The mode in force."""
        return self._launcher.isolation

    async def open(self, job_id: str) -> HostWorkspace:
        """The job's workspace. Raises `ConfigurationError` where none can be made."""
        if self._closed:
            raise SandboxUnavailableError("The sandbox is closed.")
        if not _JOB_ID.fullmatch(job_id):
            raise InvalidInputError(f"{job_id!r} is no job's identifier.", field="job_id")
        folder = self._root / job_id
        make_folder(folder)
        folder.chmod(0o700)  # The agent may have locked itself out.
        files = WorkspaceFiles(folder)
        with suppress(SandboxPathError):  # The agent put something else there: its matter.
            try:
                await files.read(_IGNORED, limit_bytes=1)
            except FileNotFoundError:
                await files.write(_IGNORED, b"*\n")
        return HostWorkspace(
            folder=folder, launcher=self._launcher, files=files, running=self._running
        )

    async def close(self) -> None:
        """Kill what still runs, in whatever event loop. Commands awaited end as killed."""
        self._closed = True
        ending = [
            asyncio.run_coroutine_threadsafe(tree.end(), tree.loop)
            for tree in list(self._running)
            if tree.loop.is_running()
        ]
        await asyncio.gather(*(asyncio.wrap_future(end) for end in ending))


def make_folder(folder: Path) -> None:
    """A folder that only this user enters, with its parents. Says what to do if not."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK | os.X_OK) else "it cannot be written"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise ConfigurationError(
            f"There is no room for workspaces in {folder}: {reason}.",
            cure="Give this user write access to it, or set COFOUNDER_DATA_DIR to a folder "
            "that can be written.",
        )
