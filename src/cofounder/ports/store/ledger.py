"""Rows of money. `spent` and `reserved` change by increments only, never by overwriting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cofounder.domain.budget import DayBudget, Plan
from cofounder.domain.ids import OwnerId, RequestId, SessionId
from cofounder.domain.money import Usage
from cofounder.domain.schedule import Span


class EntryKind(StrEnum):
    """What a ledger entry stands for."""

    CALL = "call"
    ESTIMATE = "estimate"
    TOP_UP = "top_up"
    PLAN = "plan"


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One entry, never changed. `amount_usd_micros` is spent (calls) or granted (top-ups, plans).

    `request_id` is unique: the call's, the top-up's idempotency key, or a new id.
    An ESTIMATE is a call that was cut: input as the provider counted it, output guessed high.
    """

    request_id: RequestId
    owner_id: OwnerId
    session_id: SessionId | None
    kind: EntryKind
    amount_usd_micros: int
    model: str | None
    provider_request_id: str | None
    usage: Usage | None
    price: str | None
    at: datetime


@dataclass(frozen=True, kw_only=True)
class ModelCallRow:
    """A call that was paid for in advance and whose true cost is not known yet.

    `worst_usage` is what `reserved_usd_micros` was computed from, on the budget day
    that began at `day_start`.
    """

    request_id: RequestId
    session_id: SessionId
    owner_id: OwnerId
    day_start: datetime
    model: str
    reserved_usd_micros: int
    worst_usage: Usage
    started_at: datetime


class LedgerRows(Protocol):
    """Plans, budget days, open calls, entries."""

    async def plan(self, owner_id: OwnerId) -> Plan | None:
        """The owner's present plan."""
        ...

    async def save_plan(self, plan: Plan) -> None:
        """Make this the owner's plan."""
        ...

    async def lock_day(self, owner_id: OwnerId, start: datetime) -> DayBudget | None:
        """The budget day that began at `start`, held until the transaction ends."""
        ...

    async def day(self, owner_id: OwnerId, start: datetime) -> DayBudget | None:
        """The same, not locked."""
        ...

    async def add_day(self, day: DayBudget) -> None:
        """Begin a budget day, unless somebody else just did."""
        ...

    async def save_day(self, day: DayBudget) -> None:
        """Change base, top-up and ceiling of a locked day; spent and reserved stay."""
        ...

    async def other_days(self, owner_id: OwnerId, cycle: Span, day: Span) -> Sequence[DayBudget]:
        """The days that began in `cycle` or overlap `day`, without the one that is `day`."""
        ...

    async def reserve(self, call: ModelCallRow) -> bool:
        """Reserve and keep the call, or False: spent + reserved + amount > ceiling.

        One conditional statement decides, over all sessions and processes.
        """
        ...

    async def settle(self, call: ModelCallRow, entry: LedgerEntry) -> bool:
        """Spend the entry's amount on the call's day, release its reservation, keep the entry.

        False when the call was settled before; nothing changes then.
        """
        ...

    async def open_calls(self, session_id: SessionId) -> Sequence[ModelCallRow]:
        """Calls of the session that were begun and not settled."""
        ...

    async def add_entry(self, entry: LedgerEntry) -> bool:
        """Keep an entry that is no call; False when its `request_id` was there before."""
        ...

    async def entry(self, request_id: RequestId) -> LedgerEntry | None:
        """One entry."""
        ...

    async def entries(
        self, owner_id: OwnerId, *, session_id: SessionId | None = None, limit: int = 1000
    ) -> Sequence[LedgerEntry]:
        """Entries, newest first."""
        ...

    async def spent_by_session(self, session_id: SessionId) -> int:
        """Sum of the session's calls and estimates, in micro-dollars."""
        ...
