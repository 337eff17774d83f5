"""Makes the lock files in requirements/, and checks without network that they are fresh.

    python -m tools.lock              lock anew; versions stay where they still fit
    python -m tools.lock --upgrade    lock anew, with the newest versions
    python -m tools.lock --check      were the files made from this pyproject.toml?

A lock file starts with the digest of what it was made from. It holds names, versions and
hashes, for every system and Python that the project runs on, and no addresses.
"""

import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "dev.txt": ("--extra", "dev", "--annotation-style=line"),
    "runtime.txt": ("--constraint", "requirements/dev.txt", "--no-annotate"),
}
OLDEST_PYTHON = "3.11"


def digest(pyproject: Path) -> str:
    """SHA-256 of everything in `pyproject` that decides what is installed."""
    table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = table["project"]
    relevant = [
        table["build-system"]["requires"],
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
    ]
    return sha256(json.dumps(relevant, sort_keys=True).encode()).hexdigest()


def header(pyproject: Path) -> str:
    """The first lines of a lock file that is made from `pyproject`."""
    return f"# Made by `make lock`. Do not edit.\n# pyproject.toml: {digest(pyproject)}\n"


def stale(root: Path) -> list[str]:
    """The lock files that were not made from this `pyproject.toml`."""
    expected = header(root / "pyproject.toml")
    paths = [root / "requirements" / name for name in LOCKS]
    return [
        str(path.relative_to(root))
        for path in paths
        if not path.is_file() or not path.read_text(encoding="utf-8").startswith(expected)
    ]


def lock(root: Path, uv: str, flags: Sequence[str]) -> None:
    """Write every lock file. The build's own requirements are locked with the others."""
    pyproject = root / "pyproject.toml"
    build = tomllib.loads(pyproject.read_text(encoding="utf-8"))["build-system"]["requires"]
    for name, selection in LOCKS.items():
        path = root / "requirements" / name
        command = [uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes"]
        command += ["--python-version", OLDEST_PYTHON, "--no-header"]
        command += [*selection, *flags, "--output-file", f"requirements/{name}"]
        command += ["pyproject.toml", "-"]
        text = "\n".join(build)
        subprocess.run(command, cwd=root, input=text, text=True, check=True, stdout=sys.stderr)
        path.write_text(header(pyproject) + path.read_text(encoding="utf-8"), encoding="utf-8")
        sys.stdout.write(f"requirements/{name} is fresh.\n")


def main(arguments: Sequence[str]) -> int:
    """Lock or check, as the arguments say."""
    if list(arguments) == ["--check"]:
        for path in stale(ROOT):
            sys.stdout.write(f"{path}:1: lock: pyproject.toml has changed since: run `make lock`\n")
        return 1 if stale(ROOT) else 0
    uv = shutil.which("uv")
    if uv is None:
        sys.stderr.write("uv makes the lock files and was not found: pip install uv\n")
        return 1
    lock(ROOT, uv, arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
