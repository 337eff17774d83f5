"""A tool: typed input, one run, one outcome whose effects are stored together with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import ClassVar, Protocol, TypeAlias

from pydantic import BaseModel, ConfigDict

from cofounder.domain.escalation import Option
from cofounder.domain.ids import EscalationId, ToolUseId
from cofounder.domain.transcript import Image
from cofounder.ports.clock import Clock, Ids
from cofounder.ports.sandbox import Workspace


class Replay(Enum):
    """What to do with a call that a crash interrupted."""

    READ_ONLY = auto()  # nothing but what is stored with the result: simply run again
    RERUN = auto()  # running it again leads to the same end
    ASK = auto()  # effects unknown: never run again silently


class ToolInput(BaseModel):
    """Base of tool inputs; unknown fields are refused, so that a typing error is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, kw_only=True)
class Narration:
    """Effect: tell the founder, and enter a phase when one is named."""

    text: str
    phase_name: str | None


@dataclass(frozen=True, kw_only=True)
class DocumentVersion:
    """Effect: a new version of a document."""

    name: str
    content: str


@dataclass(frozen=True, kw_only=True)
class Question:
    """Effect: ask the founder. `recommended` is the id of one of `options`."""

    escalation_id: EscalationId
    cause: str
    problem: str
    tried: tuple[tuple[str, str], ...]
    options: tuple[Option, ...]
    recommended: str


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """Effect: a picture was taken; `path` is relative to the workspace."""

    path: str


Effect: TypeAlias = Narration | DocumentVersion | Question | Snapshot


@dataclass(frozen=True, kw_only=True)
class Approach:
    """What a call was for, and by which way, for telling approaches apart."""

    goal: str
    strategy: str
    description: str


@dataclass(frozen=True, kw_only=True)
class ToolOutcome:
    """What came of a call. `label` and `summary` are one line each, for people."""

    text: str
    label: str
    summary: str
    is_error: bool = False
    image: Image | None = None
    effects: tuple[Effect, ...] = ()
    approach: Approach | None = None


@dataclass(frozen=True, kw_only=True)
class ToolContext:
    """What a tool may use. `replayed` says that a crash interrupted this very call before."""

    workspace: Workspace
    clock: Clock
    ids: Ids
    use_id: ToolUseId
    replayed: bool

    def now(self) -> datetime:
        """The present instant."""
        return self.clock.now()


class Tool(Protocol):
    """One tool. `Input` validates, and its JSON Schema is what the model is shown."""

    name: ClassVar[str]
    description: ClassVar[str]
    replay: ClassVar[Replay]
    Input: ClassVar[type[ToolInput]]

    async def run(self, raw: ToolInput, context: ToolContext) -> ToolOutcome:
        """Do it. `CofounderError` and `OSError` may be raised; both become error results."""
        ...
