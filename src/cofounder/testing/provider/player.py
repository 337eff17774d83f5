"""Which turn a request gets.

The place in the script is read off the request itself, so that a request which is sent
again, after a failure or by another process, gets the same reply.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from cofounder.domain.transcript import Message, Role, TextBlock, ToolResultBlock
from cofounder.testing.provider.faults import Fault
from cofounder.testing.provider.script import Part, RequestView, Script, Turn


class ScriptOverError(Exception):
    """The conversation goes on beyond the end of its script."""


@dataclass(frozen=True, kw_only=True)
class Play:
    """The turn for one request, and the fault that befalls this attempt.

    `conversation` names the job's part of the script, its system prompt and first words;
    `turn_index` counts the replies before this one.
    """

    turn: Turn
    fault: Fault | None
    conversation: str
    turn_index: int


class Player:
    """Plays a script; remembers only how many attempts each turn has seen."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._attempts: Counter[tuple[str, int]] = Counter()

    def play(self, view: RequestView) -> Play:
        """The turn for this request. Raises `ScriptOverError` when none is left."""
        name, part = self._part(view)
        turn = part(view) if callable(part) else _next_turn(part, view)
        # The first words only: what is said after them before the first reply may grow.
        opening = view.system + view.first_text.split("\n", 1)[0]
        digest = sha256(opening.encode("utf-8", "replace")).hexdigest()[:8]
        key = (f"{name}:{digest}", view.assistant_count)
        attempt = self._attempts[key]
        self._attempts[key] += 1
        fault = turn.faults[attempt] if attempt < len(turn.faults) else None
        return Play(turn=turn, fault=fault, conversation=key[0], turn_index=key[1])

    def _part(self, view: RequestView) -> tuple[str, Part]:
        for text, part in self._script.jobs.items():
            if text in view.system or text in view.first_text:
                return text, part
        return "default", self._script.default


def _next_turn(turns: Sequence[Turn], view: RequestView) -> Turn:
    called_for = _called_for(turns, view.news)
    if called_for is not None:
        return called_for
    ordered = [turn for turn in turns if turn.match is None]
    index = view.assistant_count
    if len(ordered) < len(turns):
        index -= _replies_called_for(turns, view.messages)
    if index >= len(ordered):
        raise ScriptOverError(f"the script has {len(ordered)} turns, this would be the next one")
    return ordered[index]


def _called_for(turns: Sequence[Turn], news: Sequence[Message]) -> Turn | None:
    texts = [
        block.text
        for message in news
        for block in message.blocks
        if isinstance(block, TextBlock | ToolResultBlock)
    ]
    for turn in turns:
        if turn.match is not None and any(turn.match in text for text in texts):
            return turn
    return None


def _replies_called_for(turns: Sequence[Turn], messages: Sequence[Message]) -> int:
    """How many earlier replies were turns with a `match`."""
    count = 0
    news: list[Message] = []
    for message in messages:
        if message.role is Role.USER:
            news.append(message)
            continue
        count += _called_for(turns, news) is not None
        news = []
    return count
