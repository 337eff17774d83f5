"""The service's own hands on a workspace, which an agent may have filled with traps.

Nothing here follows a link out of the workspace, waits for a FIFO or touches a device,
also when another process swaps names meanwhile. Reading up to `_INLINE_BYTES` is done on
the spot, because handing it to a thread takes longer than the reading.
"""

import asyncio
import errno
import os
import posixpath
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cofounder.adapters.sandbox.openat2 import open_beneath
from cofounder.domain.errors import SandboxPathError
from cofounder.ports.sandbox import FileEntry

# Where commands see the workspace; the model writes such paths.
MOUNT_POINT = "/workspace"
_HIDDEN = frozenset({".git", ".cofounder"})
_TEMPORARY = ".cofounder-new-"
_INLINE_BYTES = 262_144
# A listing looks at no more entries than this, so that no workspace can hold it up.
_VISITS = 200_000


class WorkspaceFiles:
    """The files beneath one folder. Paths are as in `ports.sandbox.Workspace`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, path: str, *, limit_bytes: int) -> bytes:
        """The first `limit_bytes` bytes of a regular file."""
        content = self._read(path, limit_bytes, too_large=_INLINE_BYTES)
        if content is None:
            content = await asyncio.to_thread(self._read, path, limit_bytes)
        return content or b""

    async def write(self, path: str, content: bytes) -> None:
        """Replace a file as a whole: others see the old content or the new one.

        The content is on disk before the name changes, so that a power cut leaves one
        of both as well. Permissions of an existing file are kept. A link is not
        followed but refused, also one that stays inside.
        """
        await asyncio.to_thread(self._write, path, content)

    async def list_files(self, *, limit: int) -> Sequence[FileEntry]:
        """Regular files in path order. Names that are no UTF-8 are left out."""
        return await asyncio.to_thread(self._list, limit)

    def check_folder(self, path: str) -> str:
        """The normalised path of an existing folder."""
        relative = self._relative(path)
        with self._root() as root_fd, _refusals(path):
            os.close(open_beneath(root_fd, relative, os.O_PATH | os.O_DIRECTORY))
        return relative

    def _relative(self, path: str) -> str:
        for prefix in (MOUNT_POINT, str(self._folder)):
            if path == prefix or path.startswith(prefix + "/"):
                path = path.removeprefix(prefix).lstrip("/")
                break
        normal = posixpath.normpath(path or ".")
        if normal.startswith(("/", "../")) or normal == "..":
            raise _refused(path, "it is outside of the workspace")
        if "\0" in normal or not _is_utf8(normal):
            raise _refused(path, "no file can have such a name")
        return normal

    @contextmanager
    def _root(self) -> Iterator[int]:
        fd = os.open(self._folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield fd
        finally:
            os.close(fd)

    def _read(self, path: str, limit_bytes: int, too_large: int | None = None) -> bytes | None:
        relative = self._relative(path)
        with self._root() as root_fd, _refusals(path):
            fd = open_beneath(root_fd, relative, os.O_RDONLY)
            try:
                found = os.fstat(fd)
                _check_regular(path, found)
                if too_large is not None and min(found.st_size, limit_bytes) > too_large:
                    return None
                return _read_up_to(fd, limit_bytes)
            finally:
                os.close(fd)

    def _write(self, path: str, content: bytes) -> None:
        folder, name = posixpath.split(self._relative(path))
        if name == ".":
            raise _refused(path, "it is a folder")
        with self._root() as root_fd, _refusals(path):
            folder_fd = _make_folders(root_fd, folder)
            try:
                mode = _mode_to_keep(folder_fd, name, path)
                _replace(folder_fd, name, content, mode=mode)
            finally:
                os.close(folder_fd)

    def _list(self, limit: int) -> list[FileEntry]:
        found: list[FileEntry] = []
        visits = _VISITS
        pending: list[tuple[str, int | None]] = [("", None)]
        with self._root() as root_fd:
            while pending and len(found) < limit:
                path, size_bytes = pending.pop()
                if size_bytes is not None:
                    found.append(FileEntry(path=path, size_bytes=size_bytes))
                    continue
                inside = _entries(root_fd, path, visits)
                visits -= len(inside)
                pending += reversed(inside)
        return found


def _entries(root_fd: int, folder: str, most: int) -> list[tuple[str, int | None]]:
    """Files with their sizes, and folders with None, in the order of whole paths."""
    entries: list[tuple[str, int | None]] = []
    try:
        fd = open_beneath(root_fd, folder or ".", os.O_RDONLY | os.O_DIRECTORY, follow_links=False)
    except OSError:  # Gone, swapped, unreadable or nested too deeply: no files of ours.
        return entries
    try:
        with os.scandir(fd) as children:
            for child in children:
                if len(entries) >= most:
                    break
                if child.name in _HIDDEN or not _is_utf8(child.name):
                    continue
                if child.name.startswith(_TEMPORARY):
                    continue
                with suppress(FileNotFoundError):
                    if child.is_dir(follow_symlinks=False):
                        entries.append((posixpath.join(folder, child.name), None))
                    elif child.is_file(follow_symlinks=False):
                        size_bytes = child.stat(follow_symlinks=False).st_size
                        entries.append((posixpath.join(folder, child.name), size_bytes))
    finally:
        os.close(fd)
    return sorted(entries, key=lambda entry: entry[0] if entry[1] is not None else entry[0] + "/")


def _make_folders(root_fd: int, folder: str) -> int:
    """A descriptor for the folder; each missing one is made inside of its checked parent."""
    flags = os.O_PATH | os.O_DIRECTORY
    current_fd = os.dup(root_fd)
    walked = ""
    for name in folder.split("/") if folder else []:
        walked = posixpath.join(walked, name)
        try:
            next_fd = _open_or_make(root_fd, current_fd, walked, flags)
        finally:
            os.close(current_fd)
        current_fd = next_fd
    return current_fd


def _open_or_make(root_fd: int, parent_fd: int, folder: str, flags: int) -> int:
    try:
        return open_beneath(root_fd, folder, flags)
    except FileNotFoundError:
        with suppress(FileExistsError):
            os.mkdir(posixpath.basename(folder), 0o755, dir_fd=parent_fd)
        return open_beneath(root_fd, folder, flags)


def _mode_to_keep(folder_fd: int, name: str, path: str) -> int:
    try:
        found = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return 0o644
    _check_regular(path, found)
    return stat.S_IMODE(found.st_mode) & 0o777


def _replace(folder_fd: int, name: str, content: bytes, *, mode: int) -> None:
    temporary = _TEMPORARY + secrets.token_hex(8)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o600, dir_fd=folder_fd)
    try:
        with open(fd, "wb", buffering=0) as file:
            view = memoryview(content)
            while view:
                view = view[file.write(view) :]
            os.fchmod(fd, mode)
            os.fsync(fd)
        os.rename(temporary, name, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder_fd)
        raise


def _read_up_to(fd: int, limit_bytes: int) -> bytes:
    parts: list[bytes] = []
    left = limit_bytes
    while left > 0 and (part := os.read(fd, min(left, 1_048_576))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _check_regular(path: str, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise _refused(path, "it is a link")
    if stat.S_ISDIR(found.st_mode):
        raise _refused(path, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise _refused(path, "it is no regular file")


@contextmanager
def _refusals(path: str) -> Iterator[None]:
    """What the kernel says, in the words of the port."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(errno.ENOENT, "No such file or folder", path) from error
    except OSError as error:
        if error.errno in (errno.EXDEV, errno.ELOOP):
            raise _refused(path, "it leads out of the workspace") from error
        raise _refused(path, f"the system says: {error.strerror}") from error


def _refused(path: str, reason: str) -> SandboxPathError:
    return SandboxPathError(
        f"{path!r} is refused: {reason}.",
        field="path",
        cure="Name a regular file by its path relative to the workspace.",
    )


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
