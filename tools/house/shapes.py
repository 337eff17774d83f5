"""Rules about how code is written: length, frozen values, catching, silencing."""

import ast
import re
from collections.abc import Iterator

from tools.house.source import PACKAGE, SUPPRESSION, SourceFile, Violation, functions, in_words

MAX_FUNCTION_LINES = 50
FILE_WIDE = re.compile(r"#\s*(ruff|flake8|mypy)\s*:")


def long_functions(source: SourceFile) -> Iterator[Violation]:
    """A function fits on a screen."""
    for function in functions(source.tree):
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > MAX_FUNCTION_LINES:
            cure = f"{function.name} has {length} lines, at most {MAX_FUNCTION_LINES}: split it"
            yield source.breach(function.lineno, "function-length", cure)


def thawed_values(source: SourceFile) -> Iterator[Violation]:
    """Values of the domain and the ports are frozen and keyword-only."""
    if not source.path.startswith((f"{PACKAGE}domain/", f"{PACKAGE}ports/")):
        return
    for node in ast.walk(source.tree):
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            text = ast.unparse(decorator)
            frozen = "frozen=True" in text and "kw_only=True" in text
            if re.match(r"(dataclasses\.)?dataclass\b", text) and not frozen:
                cure = "write @dataclass(frozen=True, kw_only=True)"
                yield source.breach(decorator.lineno, "frozen", cure)


def broad_excepts(source: SourceFile) -> Iterator[Violation]:
    """Catching everything, and going on, names why on the line itself."""
    for node in ast.walk(source.tree):
        match node:
            case ast.ExceptHandler(type=caught) if not _raises_again(node):
                broad = caught is None or _is_broad(caught)
                last = caught.end_lineno if caught else None
            case ast.Call(func=func, args=args) if ast.unparse(func).endswith("suppress"):
                broad = any(_is_broad(caught) for caught in args)
                last = node.end_lineno
            case _:
                continue
        if broad and not source.explained(node.lineno, last or node.lineno):
            cure = "catch what can happen, or say in a comment on this line why everything"
            yield source.breach(node.lineno, "broad-except", cure)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def _is_broad(caught: ast.expr) -> bool:
    return re.search(r"\b(Base)?Exception\b", ast.unparse(caught)) is not None


def suppressions(source: SourceFile) -> Iterator[Violation]:
    """A checker is silenced for one line, with a reason."""
    for line, comment in source.comments.items():
        if FILE_WIDE.match(comment):
            yield source.breach(line, "suppression", "no file-wide switches: mend the code")
        elif SUPPRESSION.search(comment) and not in_words(comment):
            yield source.breach(line, "suppression", "say why, in the same comment")
