"""Runs every rule over every file that git tracks or would add."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools.house import files, places, shapes, tests
from tools.house.source import SourceFile, Violation

TEXT_RULES = (files.vague_names, files.long_files, files.addresses, files.locked_addresses)
PYTHON_RULES = (
    places.banned_names,
    places.foreign_imports,
    places.late_imports,
    shapes.long_functions,
    shapes.thawed_values,
    shapes.broad_excepts,
    shapes.suppressions,
    tests.patches,
    tests.silent_skips,
)


def check_file(source: SourceFile) -> Iterator[Violation]:
    """Everything that is wrong with one file."""
    for text_rule in TEXT_RULES:
        yield from text_rule(source)
    if not source.path.endswith(".py"):
        return
    try:
        for python_rule in PYTHON_RULES:
            yield from python_rule(source)
    except SyntaxError as error:
        yield source.breach(error.lineno or 1, "syntax", error.msg)


def check(sources: Iterable[SourceFile]) -> list[Violation]:
    """Everything that is wrong, by path and line."""
    known = list(sources)
    found = set(files.unknown_rooms(source.path for source in known))
    for source in known:
        found.update(check_file(source))
    return sorted(found)


def read(root: Path) -> Iterator[SourceFile]:
    """The text files that git tracks or would add, as they are on disk."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        try:
            yield SourceFile(path=name, text=(root / name).read_text(encoding="utf-8"))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue


def main(root: Path) -> int:
    """Print the violations under `root`; the exit code is 1 if there are any."""
    sources = list(read(root))
    violations = check(sources)
    for violation in violations:
        sys.stdout.write(f"{violation}\n")
    if not violations:
        sys.stdout.write(f"{len(sources)} files keep the house rules.\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
