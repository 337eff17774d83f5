"""The reduced mode, for hosts where bubblewrap is missing or may not work.

Landlock confines which files a command can open: its workspace, and the host's programs
read-only. What it does not hold, and the full mode does:
- UDP and other sockets that are not TCP; before version 4 of the kernel's interface TCP
  too. Sockets with a name in the file system can be connected to before version 9.
- Signals to other processes of the same user before version 6.
- The host's processes and their command lines can be listed (not their environments).
- Names, sizes and times of files anywhere can be seen, and permissions of files that
  the service's user owns can be changed: run the service as an ordinary user.
- The workspace is at its own path, there is no `/workspace`, and `/tmp` and `/dev/shm`
  cannot be used: `TMPDIR` names a folder of the command's own.
Limits on memory and processes are missing as in the full mode.
"""

import secrets
import sys
import tempfile
from pathlib import Path

from cofounder.adapters.sandbox import host_view, landlock_launcher
from cofounder.adapters.sandbox.process_tree import Launch
from cofounder.ports.sandbox import Command, Isolation

# By import and not by path, because Python keeps no compiled form of a script.
_START = "import sys; sys.path.append(sys.argv.pop(1)); import landlock_launcher as l; l.main()"
_PUBLIC_ETC = ("passwd", "group", "hosts", "nsswitch.conf")


class Landlock:
    """Makes the command line of one confined process tree.

    `own_etc` is as in `host_view.fill_etc`, of which only Git's settings are used here.
    `python` is an interpreter of the version that runs the service.
    """

    isolation = Isolation.REDUCED

    def __init__(self, *, own_etc: Path, python: str = sys.executable) -> None:
        source = str(Path(landlock_launcher.__file__).parent)
        self._before = (python, "-I", "-S", "-c", _START, source)
        self._limits = (
            str(host_view.open_files_limit()),
            str(host_view.file_size_limit_bytes()),
        )
        self._git_settings = str(own_etc / "gitconfig")
        self._readable = "\n".join([*_readable(), self._git_settings])

    def launch(self, folder: Path, command: Command) -> Launch:
        """How to run a command; `command.cwd` is checked and normalised."""
        # Short, because browsers put sockets there, whose paths have 107 bytes at most.
        temp = f"{tempfile.gettempdir()}/cofounder-{secrets.token_hex(8)}"
        environment = host_view.environment(home=f"{temp}/home", temp=temp)
        return Launch(
            argv=lambda status_fd: (
                *self._before,
                *(str(status_fd), temp, *self._limits),
                *(str(folder), command.cwd, self._readable),
                *command.argv,
            ),
            environment={**environment, "GIT_CONFIG_SYSTEM": self._git_settings},
        )


def _readable() -> list[str]:
    etc = [*host_view.etc_folders(), *host_view.ETC_FILES, *_PUBLIC_ETC]
    programs = [str(path) for path in host_view.program_folders()]
    return programs + [f"/etc/{name}" for name in etc]
