"""Rows of the conversation: append-only, so that an iteration's writes do not grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cofounder.domain.failures import FailedAttempt
from cofounder.domain.ids import SessionId, ToolUseId
from cofounder.domain.transcript import Message, ToolResultBlock, ToolUseBlock


class ToolStatus(StrEnum):
    """How far a tool call has come."""

    PLANNED = "planned"
    STARTED = "started"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class ToolCallRow:
    """A tool call of the newest assistant message. `result` is there when it is done."""

    use: ToolUseBlock
    status: ToolStatus
    result: ToolResultBlock | None


class InboxKind(StrEnum):
    """Why something is said to the agent."""

    ANSWER = "answer"
    MESSAGE = "message"
    NOTE = "note"


@dataclass(frozen=True, kw_only=True)
class InboxItem:
    """Something that the agent reads once. `source_id` makes it unique within a session."""

    source_id: str
    kind: InboxKind
    text: str


class ConversationRows(Protocol):
    """Messages, tool calls, failed attempts and the inbox of a session."""

    async def messages(self, session_id: SessionId) -> list[Message]:
        """The whole conversation, in order."""
        ...

    async def append(self, session_id: SessionId, position: int, message: Message) -> None:
        """Add the message at `position`, which must be the next one."""
        ...

    async def plan_tools(self, session_id: SessionId, uses: Sequence[ToolUseBlock]) -> None:
        """Keep the calls that the newest assistant message asks for."""
        ...

    async def tools(self, session_id: SessionId, ids: Sequence[ToolUseId]) -> Sequence[ToolCallRow]:
        """These calls, in the order of `ids`."""
        ...

    async def start_tool(self, session_id: SessionId, use_id: ToolUseId, at: datetime) -> None:
        """Say that the call is about to have effects."""
        ...

    async def finish_tool(
        self, session_id: SessionId, result: ToolResultBlock, *, action: str, at: datetime
    ) -> None:
        """Keep the call's result. `action` is its fingerprint for the repetition ladder."""
        ...

    async def recent_actions(self, session_id: SessionId, *, limit: int) -> list[str]:
        """Fingerprints of the newest finished calls, oldest first."""
        ...

    async def add_failure(self, session_id: SessionId, attempt: FailedAttempt) -> None:
        """Keep a failed attempt."""
        ...

    async def failures(self, session_id: SessionId, goal: str) -> Sequence[FailedAttempt]:
        """The failed attempts at `goal` that still count, oldest first."""
        ...

    async def forget_failures(self, session_id: SessionId, goal: str | None) -> None:
        """Count anew: for one goal after a success, for all (None) after an answer."""
        ...

    async def put(self, session_id: SessionId, item: InboxItem, at: datetime) -> bool:
        """Add to the inbox; False when `source_id` was there before."""
        ...

    async def take(self, session_id: SessionId, position: int) -> Sequence[InboxItem]:
        """Everything unread, oldest first, marked as read in the message at `position`."""
        ...
