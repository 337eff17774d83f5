"""Which outside name an expression stands for, whatever it is called in this file."""

import ast
from collections.abc import Iterator, Mapping


def dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    """The outside name that an expression stands for; a call is marked by `()`."""
    match node:
        case ast.Name(id=name):
            return known.get(name)
        case ast.Attribute(value=value, attr=attr):
            owner = dotted(value, known)
            return f"{owner}.{attr}" if owner else None
        case ast.Call(func=func):
            called = dotted(func, known)
            return f"{called}()" if called else None
    return None


def imported(node: ast.AST) -> Iterator[str]:
    """The full names that one statement imports from other packages."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            yield from (f"{module}.{alias.name}" for alias in names)


def meanings(tree: ast.Module) -> dict[str, str]:
    """What local names stand for: imported, or assigned from something imported."""
    known: dict[str, str] = {}
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for statement in sorted(statements, key=lambda node: node.lineno):
        known.update(_bound(statement, known))
    return known


def _bound(statement: ast.stmt, known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    match statement:
        case ast.Import(names=names):
            for alias in names:
                top = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (top, top)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                yield alias.asname or alias.name, f"{module}.{alias.name}"
        case (
            ast.Assign(targets=[ast.Name(id=name)], value=value)
            | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
        ):
            meant = dotted(value, known)
            if meant:
                yield name, meant


def uses(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and outside name of everything that is imported or reached by a dot."""
    known = meanings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((node.lineno, name) for name in imported(node))
        elif isinstance(node, ast.Attribute):
            name = dotted(node, known)
            if name:
                yield node.lineno, name
