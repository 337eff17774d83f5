"""The full mode: each command in its own bubblewrap sandbox.

A command gets new user, pid, network, ipc, uts and cgroup namespaces, no capability, no
way to make further user namespaces, the host's programs read-only, a private `/proc`,
`/tmp` and `/dev`, and its workspace at `/workspace`. Its processes are all children of
one init, and killing that kills them, whatever they did to hide.

What it does not hold, until system calls are filtered and control groups are used:
- AF_VSOCK and AF_NETLINK sockets can be opened. A virtual machine that offers services
  to its guests by vsock offers them to commands too.
- Memory and the number of processes are not limited: `RLIMIT_NPROC` does nothing for
  root, and counts a user's processes outside as well. The time limit ends a fork bomb,
  and the kernel takes commands first when memory runs out.
"""

import posixpath
import shutil
from pathlib import Path

from cofounder.adapters.sandbox import host_view
from cofounder.adapters.sandbox.files import MOUNT_POINT
from cofounder.adapters.sandbox.process_tree import Launch
from cofounder.ports.sandbox import Command, Isolation

TEMP_BYTES = 512 * 1024 * 1024
SHARED_MEMORY_BYTES = 256 * 1024 * 1024

_HOME = "/tmp/home"
# Inside, a command is an ordinary user: as root, tar and npm would try to change owners.
# (This nests a second user namespace, so nothing can join the network namespace later.)
_USER_ID = "1000"
_SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin"

_NAMESPACES = (
    *("--unshare-user", "--disable-userns", "--uid", _USER_ID, "--gid", _USER_ID),
    *("--unshare-pid", "--as-pid-1", "--die-with-parent", "--new-session"),
    *("--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup"),
    *("--hostname", "sandbox", "--cap-drop", "ALL"),
)
# The shell stays as the sandbox's init: it reaps, and the end of the command ends it and
# with it every process that was left in the background. The last `exit` keeps it from
# making way for the command, which would then ignore signals as an init does.
_INIT = 'ulimit -c 0; ulimit -n {files}; ulimit -f {blocks}; "$@"; exit $?'
_ULIMIT_BLOCK_BYTES = 512


class Bubblewrap:
    """Makes the command line of one sandbox.

    `own_etc` is shown as `/etc`: see `host_view.fill_etc`. `program` is the bwrap
    executable, 0.8 or newer, a name or a path.
    """

    isolation = Isolation.FULL

    def __init__(self, *, own_etc: Path, program: str = "bwrap") -> None:
        found = shutil.which(program, path=_SEARCH_PATH) or program
        self._before = (found, *_NAMESPACES, *_file_system(own_etc))
        self._init = _INIT.format(
            files=host_view.open_files_limit(),
            blocks=host_view.file_size_limit_bytes() // _ULIMIT_BLOCK_BYTES,
        )

    def launch(self, folder: Path, command: Command) -> Launch:
        """How to run a command; `command.cwd` is checked and normalised."""
        return Launch(
            argv=lambda status_fd: (
                *self._before,
                *("--bind", str(folder), MOUNT_POINT),
                *("--chdir", posixpath.normpath(f"{MOUNT_POINT}/{command.cwd}")),
                *("--json-status-fd", str(status_fd), "--"),
                *("/bin/sh", "-c", self._init, "sh", *command.argv),
            ),
            # Given to bwrap itself: what it is started with is what its init shows.
            environment=host_view.environment(home=_HOME, temp="/tmp"),
        )


def _file_system(own_etc: Path) -> list[str]:
    mounts = ["--proc", "/proc", "--dev", "/dev"]
    mounts += _memory_folder("/dev/shm", SHARED_MEMORY_BYTES)
    mounts += _memory_folder("/tmp", TEMP_BYTES)
    mounts += ("--dir", _HOME, "--dir", MOUNT_POINT)
    for folder in host_view.program_folders():
        mounts += ("--ro-bind", str(folder), str(folder))
    for target, link in host_view.program_links():
        mounts += ("--symlink", target, str(link))
    mounts += ("--ro-bind", str(own_etc), "/etc")
    for name in host_view.etc_folders():
        mounts += ("--ro-bind", f"/etc/{name}", f"/etc/{name}")
    # `/` and `/dev` lie in memory without a limit. In /proc, a service that runs as root
    # would else let its commands write the host's /proc/sys, core_pattern among it.
    for place in ("/proc", "/dev", "/"):
        mounts += ("--remount-ro", place)
    return mounts


def _memory_folder(place: str, size_bytes: int) -> tuple[str, ...]:
    return ("--perms", "1777", "--size", str(size_bytes), "--tmpfs", place)
