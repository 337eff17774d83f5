"""One file as the rules see it, and what they answer."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

PACKAGE = "src/cofounder/"

SUPPRESSION = re.compile(
    r"type:\s*ignore(\[[^\]]*\])?|noqa(:\s*[A-Z]+[0-9]+(\s*,\s*[A-Z]+[0-9]+)*)?"
)


@dataclass(frozen=True, kw_only=True, order=True)
class Violation:
    """Where a rule is broken, and what to do about it."""

    path: str
    line: int
    rule: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.cure}"


@dataclass(frozen=True, kw_only=True)
class SourceFile:
    """One text file; `path` is relative to the repository, with forward slashes.

    `tree` and `comments` raise `SyntaxError` where the text is no Python.
    """

    path: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.text.splitlines()

    @cached_property
    def tree(self) -> ast.Module:
        """The module's syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def comments(self) -> dict[int, str]:
        """Comments by line number."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}

    def breach(self, line: int, rule: str, cure: str) -> Violation:
        """A violation in this file."""
        return Violation(path=self.path, line=line, rule=rule, cure=cure)

    def explained(self, first: int, last: int) -> bool:
        """Whether a comment on these lines says something in words."""
        return any(in_words(self.comments.get(line, "")) for line in range(first, last + 1))


def in_words(comment: str) -> bool:
    """Whether two words or more are left of a comment without its suppressions."""
    return len(re.findall(r"[^\W\d_]{2,}", SUPPRESSION.sub("", comment))) >= 2


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, nested ones too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
