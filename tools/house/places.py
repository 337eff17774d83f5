"""Rules about where a thing lives: the clock, the environment, randomness, imports."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from tools.house.names import imported, uses
from tools.house.source import PACKAGE, SourceFile, Violation, functions


@dataclass(frozen=True, kw_only=True)
class Ban:
    """Outside names that only `home` may use, as far as `within` reaches.

    Both are path prefixes; without a home nobody may.
    """

    rule: str
    names: frozenset[str]
    within: str
    home: str | None
    cure: str

    def holds_in(self, path: str) -> bool:
        """Whether the names are banned in this file."""
        at_home = self.home is not None and path.startswith(self.home)
        return path.startswith(self.within) and not at_home

    def catches(self, name: str) -> bool:
        """Whether `name` is banned, or something inside a banned name."""
        return any(name == banned or name.startswith(f"{banned}.") for banned in self.names)


WAITS = frozenset({"time.sleep", "asyncio.sleep", "anyio.sleep", "anyio.sleep_until"})

BANS = (
    Ban(
        rule="clock",
        names=WAITS
        | {
            "time",
            "datetime.datetime.now",
            "datetime.datetime.utcnow",
            "datetime.datetime.today",
            "datetime.date.today",
        },
        within="src/",
        home=f"{PACKAGE}adapters/clock.py",
        cure="take a ports.clock.Clock; only adapters/clock.py tells the time or waits",
    ),
    Ban(
        rule="loop-clock",
        names=frozenset(
            {
                "asyncio.get_running_loop().time",
                "asyncio.get_event_loop().time",
                "anyio.current_time",
            }
        ),
        within="src/",
        home=f"{PACKAGE}adapters/",
        cure="take a ports.clock.Clock; only adapters measure real waits on the event loop",
    ),
    Ban(
        rule="environment",
        names=frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"}),
        within="src/",
        home=f"{PACKAGE}settings.py",
        cure="take the value as an argument; only settings.py reads the environment",
    ),
    Ban(
        rule="randomness",
        names=frozenset({"random", "secrets", "os.urandom", "uuid.uuid1", "uuid.uuid4"}),
        within="src/",
        home=f"{PACKAGE}adapters/",
        cure="take a ports.clock.Ids; only adapters draw random numbers",
    ),
    Ban(
        rule="any",
        names=frozenset({"typing.Any"}),
        within="src/",
        home=f"{PACKAGE}adapters/",
        cure="name the shape: a model, a frozen dataclass or domain.json_types.JsonObject",
    ),
    Ban(
        rule="test-wait",
        names=WAITS,
        within="tests/",
        home=None,
        cure="wait for the condition or the event itself, with a time limit",
    ),
    Ban(
        rule="test-patch",
        names=frozenset({"mock", "unittest.mock"}),
        within="tests/",
        home=None,
        cure="hand in a shipped fake or use the real thing; own code is not patched",
    ),
)


def banned_names(source: SourceFile) -> Iterator[Violation]:
    """Each of these names has one place, or none; an alias does not hide it."""
    bans = [ban for ban in BANS if ban.holds_in(source.path)]
    for line, name in uses(source.tree):
        for ban in bans:
            if ban.catches(name):
                yield source.breach(line, ban.rule, ban.cure)


def foreign_imports(source: SourceFile) -> Iterator[Violation]:
    """The domain knows the standard library and pydantic."""
    if not source.path.startswith(f"{PACKAGE}domain/"):
        return
    allowed = sys.stdlib_module_names | {"pydantic", "pydantic_core", "cofounder"}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if any(name.partition(".")[0] not in allowed for name in imported(node)):
            cure = "the domain imports the standard library and pydantic only"
            yield source.breach(node.lineno, "foreign-import", cure)


def late_imports(source: SourceFile) -> Iterator[Violation]:
    """An import inside a function says why, on its line or above its block."""
    if not source.path.startswith("src/"):
        return
    for function in functions(source.tree):
        inner = [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)]
        explained_until = 0
        for node in sorted(inner, key=lambda n: n.lineno):
            last = node.end_lineno or node.lineno
            if explained_until == node.lineno - 1 or source.explained(node.lineno - 1, last):
                explained_until = last
            else:
                cure = "import at the top, or say in a comment that it keeps start-up fast"
                yield source.breach(node.lineno, "late-import", cure)
