"""Opening a path beneath a folder, by the one system call that cannot be raced.

Resolving a name first and opening it then loses to whoever swaps a link in between.
`openat2` (Linux 5.6) checks every step while it walks. See openat2(2).
"""

import ctypes
import errno
import os

from cofounder.domain.errors import SandboxUnavailableError

_SYS_OPENAT2 = 437  # The same on every architecture but alpha.
_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x01, 0x02, 0x04, 0x08
_ATTEMPTS = 32

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def open_beneath(folder_fd: int, path: str, flags: int, *, follow_links: bool = True) -> int:
    """A new descriptor for `path`, which is relative and stays beneath `folder_fd`.

    Never blocks on a FIFO and never leaves the file system of the folder. Raises
    `OSError` (EXDEV or ELOOP: the path leaves the folder) and `SandboxUnavailableError`
    on a kernel without the call.
    """
    resolve = _BENEATH | _NO_MAGICLINKS | _NO_XDEV | (0 if follow_links else _NO_SYMLINKS)
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve)
    if not flags & os.O_PATH:
        how.flags |= os.O_NONBLOCK | os.O_NOCTTY
    name = os.fsencode(path)
    error = 0
    for _ in range(_ATTEMPTS):  # EAGAIN: something was renamed during the walk.
        fd = _libc.syscall(_SYS_OPENAT2, folder_fd, name, ctypes.byref(how), ctypes.sizeof(how))
        if fd >= 0:
            return int(fd)
        error = ctypes.get_errno()
        if error not in (errno.EAGAIN, errno.EINTR):
            break
    if error == errno.ENOSYS:
        raise SandboxUnavailableError(
            "This kernel cannot open files beneath a folder safely.",
            cure="Use Linux 5.6 or newer (the system call openat2 is missing).",
        )
    raise OSError(error, os.strerror(error), path)
