"""What the loop needs written down. Each method is one transaction of `services.journal`.

A method that returns False has found, or just made, the session not working any more:
it sleeps, waits, is paused, cancelled or done. The loop ends then, with nothing half-written.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cofounder.agent.tools.base import ToolOutcome
from cofounder.domain.errors import ModelError
from cofounder.domain.escalation import STOP_JOB, Attempt
from cofounder.domain.jobs import Job
from cofounder.domain.transcript import Message, ToolResultBlock, ToolUseBlock
from cofounder.ports.model import ModelReply
from cofounder.ports.store import ModelCallRow, ToolCallRow


@dataclass(kw_only=True)
class Turn:
    """A running turn: the worker's own copy of what the store holds, kept in step with it.

    `prompt_bytes`, `prompt_tokens` and `last_call_usd_micros` are those of the last call
    that this worker made, to bound the next one; 0 before the first.
    `interrupt` is set when the founder cancels: what runs in the sandbox ends at once.
    """

    job: Job
    fence: int
    turn: int
    iteration: int
    messages: list[Message]
    prompt_bytes: int = 0
    prompt_tokens: int = 0
    last_call_usd_micros: int = 0
    interrupt: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, kw_only=True)
class CallTicket:
    """Permission to make one call: money is reserved for it, up to `max_tokens`."""

    call: ModelCallRow
    max_tokens: int


@dataclass(frozen=True, kw_only=True)
class RetryNotice:
    """A failed call will be made again."""

    attempt: int
    retry_at: datetime


STOP_OPTION = (STOP_JOB, "Stop here", "Leave the work as it is and end the job.")


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """Something that only a person can decide, found by the service, not by the model.

    `options` are (id, label, description); `recommended` is one of the ids.
    """

    cause: str
    problem: str
    recommended: str
    options: tuple[tuple[str, str, str], ...]
    attempts: tuple[Attempt, ...] = ()


class Journal(Protocol):
    """Durable steps of an iteration, in the order in which they happen."""

    async def begin_call(
        self, turn: Turn, *, prompt_tokens: int, max_tokens: int
    ) -> CallTicket | None:
        """Reserve the worst case; None when the session went to sleep instead."""
        ...

    async def call_failed(
        self, turn: Turn, ticket: CallTicket, error: ModelError, retry: RetryNotice | None
    ) -> bool:
        """Settle what the failed call may have cost, as a marked estimate."""
        ...

    async def record_reply(
        self, turn: Turn, ticket: CallTicket, reply: ModelReply, note: str | None
    ) -> bool:
        """Append the reply, settle its cost, plan its tool calls, queue `note` for the model."""
        ...

    async def planned_tools(self, turn: Turn) -> Sequence[ToolCallRow]:
        """The tool calls of the newest message with what is known of them."""
        ...

    async def tool_started(self, turn: Turn, use: ToolUseBlock) -> bool:
        """Say that the call is about to have effects."""
        ...

    async def tool_done(
        self, turn: Turn, use: ToolUseBlock, outcome: ToolOutcome, duration_s: float
    ) -> ToolResultBlock:
        """Keep the result together with all effects of the call."""
        ...

    async def observe(self, turn: Turn, results: Sequence[ToolResultBlock]) -> bool:
        """Append all results and the inbox as one message; count the iteration; mind the money."""
        ...

    async def conclude(self, turn: Turn) -> bool:
        """The model has nothing more to do: go on with what came in, wait, sleep or finish."""
        ...

    async def sleep_until(self, turn: Turn, wake_at: datetime, reason: str) -> None:
        """Sleep for a reason other than money."""
        ...

    async def escalate(self, turn: Turn, stuck: Stuck) -> None:
        """Ask the founder and wait for the answer."""
        ...

    async def fail(self, turn: Turn, problem: str) -> None:
        """End in error; a person may retry."""
        ...
