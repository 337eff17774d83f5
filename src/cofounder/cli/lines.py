"""Styled lines of a fixed width: the material that views are composed of."""

import io
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

# Wrapping wants a console and asks it for nothing but its defaults.
_RULER = Console(file=io.StringIO(), width=80)
BLANK = Text("")


def wrapped(text: Text, width: int, *, at_most: int | None = None) -> list[Text]:
    """The text in lines of at most `width` cells; what is cut off ends in an ellipsis."""
    lines = list(text.wrap(_RULER, max(1, width)))
    for line in lines:
        line.rstrip()
    if at_most is None or len(lines) <= at_most:
        return lines
    last = Text.assemble(fitted(lines[at_most - 1], width - 1), "…")
    return [*lines[: at_most - 1], last]


def fitted(text: Text, width: int, *, pad: bool = False) -> Text:
    """One line of at most `width` cells, or exactly that many."""
    line = text.copy()
    line.truncate(max(0, width), overflow="ellipsis", pad=pad)
    return line


def ends(left: Text, right: Text, width: int) -> Text:
    """One line with a left and a right end; the left one gives way."""
    room = width - right.cell_len - 1
    if room < width // 3:
        return fitted(left, width)
    return Text.assemble(fitted(left, room, pad=True), " ", right)


def indented(lines: Sequence[Text], first: Text, rest: Text) -> list[Text]:
    """The lines behind a prefix: one for the first, one for those that follow."""
    return [Text.assemble(first if i == 0 else rest, line) for i, line in enumerate(lines)]


def rule(title: Text, width: int, style: str) -> Text:
    """A line across, with a title near its left end."""
    head = Text.assemble(("── ", style), title, " ")
    return fitted(Text.assemble(head, ("─" * max(0, width - head.cell_len), style)), width)
