"""Rules about tests: nothing is patched, nothing is skipped in silence."""

import ast
from collections.abc import Iterator

from tools.house.names import dotted, meanings
from tools.house.source import SourceFile, Violation

REASON_FIRST = frozenset({"pytest.skip", "pytest.mark.skip"})
SKIPS = REASON_FIRST | {"pytest.mark.skipif", "pytest.mark.xfail"}


def patches(source: SourceFile) -> Iterator[Violation]:
    """A test may set an environment variable; it replaces no code."""
    if not source.path.startswith("tests/"):
        return
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="monkeypatch"), attr="setattr" | "delattr"):
                cure = "hand in a shipped fake or use the real thing; own code is not patched"
                yield source.breach(node.lineno, "test-patch", cure)


def silent_skips(source: SourceFile) -> Iterator[Violation]:
    """A test that is skipped says what is missing."""
    if not source.path.startswith("tests/"):
        return
    known = meanings(source.tree)
    calls = [node for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    reasoned = {id(call.func) for call in calls if _has_reason(call, dotted(call.func, known))}
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute | ast.Name) or id(node) in reasoned:
            continue
        if dotted(node, known) in SKIPS:
            yield source.breach(node.lineno, "test-skip", "give the reason, in words")


def _has_reason(call: ast.Call, name: str | None) -> bool:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    if name in REASON_FIRST:
        given += call.args
    return any(not isinstance(value, ast.Constant) or bool(value.value) for value in given)
