"""What the scripted model says: turns, in order or by rule, for one job or for several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from pydantic import JsonValue, TypeAdapter

from cofounder.domain.transcript import Message, Role, StopReason, TextBlock, ToolResultBlock
from cofounder.testing.provider.faults import Fault


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model asks for."""

    name: str
    input: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One reply of the model.

    `think` is sent as signed thinking (an empty text is thinking whose text the provider
    keeps to itself), `redacted` as thinking that nobody can read. Without a `stop_reason`
    it is what the content implies. `faults` befall the first attempts at this turn, one
    each; then it succeeds. `delay_s` passes before the first byte and `chunk_delay_s`
    between two events. A turn with a `match` answers every user message in which that
    text occurs, and takes no place in the order of the others.
    """

    say: str = ""
    think: str | None = None
    redacted: str | None = None
    tools: tuple[ToolCall, ...] = ()
    stop_reason: StopReason | None = None
    faults: tuple[Fault, ...] = ()
    delay_s: float = 0.0
    chunk_delay_s: float = 0.0
    match: str | None = None


@dataclass(frozen=True, kw_only=True)
class RequestView:
    """A request as a script sees it, whatever way it came."""

    model: str
    system: str
    tool_names: tuple[str, ...]
    messages: tuple[Message, ...]
    max_tokens: int

    @cached_property
    def assistant_count(self) -> int:
        """How many replies the conversation holds already."""
        return sum(message.role is Role.ASSISTANT for message in self.messages)

    @property
    def first_text(self) -> str:
        """What the first message says: the job."""
        return self.messages[0].text if self.messages else ""

    @cached_property
    def news(self) -> tuple[Message, ...]:
        """The user messages since the last reply."""
        start = len(self.messages)
        while start and self.messages[start - 1].role is Role.USER:
            start -= 1
        return self.messages[start:]

    @property
    def tool_results(self) -> tuple[ToolResultBlock, ...]:
        """The results that came since the last reply."""
        blocks = (block for message in self.news for block in message.blocks)
        return tuple(block for block in blocks if isinstance(block, ToolResultBlock))

    @property
    def user_texts(self) -> tuple[str, ...]:
        """The texts that came since the last reply, results left out."""
        blocks = (block for message in self.news for block in message.blocks)
        return tuple(block.text for block in blocks if isinstance(block, TextBlock))


Dynamic: TypeAlias = Callable[[RequestView], Turn]
Part: TypeAlias = Sequence[Turn] | Dynamic


@dataclass(frozen=True, kw_only=True)
class Script:
    """Who says what.

    `jobs` holds one part per job, chosen by a text that occurs in the system prompt or in
    the first message; every other conversation plays `default`. A part is a list of turns
    in order, or a function from the request to its turn.
    """

    default: Part = ()
    jobs: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _ScriptFile:
    default: tuple[Turn, ...] = ()
    jobs: Mapping[str, tuple[Turn, ...]] = field(default_factory=dict)


_SCRIPT_FILE = TypeAdapter(_ScriptFile)


def read_script(text: bytes) -> Script:
    """A script from JSON: the fields of `Script` and `Turn` by name, faults by `kind`.

    Raises `pydantic.ValidationError` when it is not one.
    """
    read = _SCRIPT_FILE.validate_json(text)
    return Script(default=read.default, jobs=read.jobs)
