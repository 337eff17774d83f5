"""Rules about files: their names, places and sizes, and the addresses in them."""

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tools.house.source import PACKAGE, SourceFile, Violation

MAX_LINES = {".py": 400, ".tsx": 250}
CODE = frozenset({".py", ".ts", ".tsx"})
VAGUE = frozenset({"common", "helper", "helpers", "manager", "managers", "misc", "util", "utils"})

# A new room is added here and explained by a decision record.
ROOMS = frozenset(
    {
        "domain",
        "domain/events",
        "ports",
        "ports/store",
        "agent",
        "agent/tools",
        "services",
        "adapters",
        "adapters/anthropic",
        "adapters/auth",
        "adapters/dbos",
        "adapters/redis",
        "adapters/sandbox",
        "adapters/sql",
        "adapters/sql/migrations",
        "adapters/sql/migrations/versions",
        "api",
        "api/routes",
        "api/schemas",
        "bootstrap",
        "cli",
        "testing",
        "testing/provider",
        "testing/story",
    }
)

REGISTRY = re.compile(
    r"\b(pypi\.org|pythonhosted\.org|npmjs\.(org|com)|yarnpkg\.com|(deb|archive)\.[a-z]+\.(org|com))\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.$}-])/((work|root)/|(home|Users)/[A-Za-z0-9_])")
LOCKED_ADDRESS = {
    "requirements/*.txt": re.compile(r"://|^\s*-[^-]|^--|^[^#]* @ "),
    "package-lock.json": re.compile(r'"resolved":\s*"'),
    "*.lock": re.compile(r"://"),
}


def unknown_rooms(paths: Iterable[str]) -> Iterator[Violation]:
    """Every folder of the package is a room of the house."""
    inside = (PurePosixPath(path.removeprefix(PACKAGE)) for path in paths if _in_package(path))
    folders = {str(folder) for path in inside for folder in path.parents} - {"."}
    for folder in sorted(folders - ROOMS):
        cure = "not a room: use one, or add it to tools/house/files.py with a decision record"
        yield Violation(path=f"{PACKAGE}{folder}", line=1, rule="room", cure=cure)


def _in_package(path: str) -> bool:
    return path.startswith(PACKAGE)


def vague_names(source: SourceFile) -> Iterator[Violation]:
    """A module is named by what it knows."""
    path = PurePosixPath(source.path)
    if path.suffix not in CODE:
        return
    words = {word for part in path.with_suffix("").parts for word in re.split(r"[_\-.]", part)}
    for word in sorted(words & VAGUE):
        yield source.breach(1, "name", f"'{word}' says nothing: name the thing it knows")


def long_files(source: SourceFile) -> Iterator[Violation]:
    """A file is read in one go."""
    limit = MAX_LINES.get(PurePosixPath(source.path).suffix)
    if limit is not None and len(source.lines) > limit:
        cure = f"{len(source.lines)} lines, at most {limit}: split it by what it knows"
        yield source.breach(limit + 1, "file-length", cure)


def addresses(source: SourceFile) -> Iterator[Violation]:
    """No file knows the machine or the registry that it was written with."""
    for number, line in enumerate(source.lines, start=1):
        if REGISTRY.search(line):
            yield source.breach(number, "address", "name no registry: its address is configured")
        if MACHINE_PATH.search(line):
            yield source.breach(number, "address", "no path of one machine: make it relative")


def locked_addresses(source: SourceFile) -> Iterator[Violation]:
    """A lock file holds names, versions and hashes, and no place to fetch from."""
    path = PurePosixPath(source.path)
    for pattern, address in LOCKED_ADDRESS.items():
        for number, line in enumerate(source.lines if path.match(pattern) else (), start=1):
            if address.search(line):
                yield source.breach(number, "lock-address", "lock it again without addresses")
