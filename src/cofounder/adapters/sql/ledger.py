"""Rows of money. `spent` and `reserved` change by increments only, never by overwriting."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from cofounder.adapters.sql import codec
from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by, insert_if_absent, insert_or_replace
from cofounder.adapters.sql.tables import budget_days, ledger, model_calls, plans
from cofounder.domain.budget import DayBudget, Plan
from cofounder.domain.ids import OwnerId, RequestId, SessionId
from cofounder.domain.money import Usage
from cofounder.domain.schedule import Span
from cofounder.ports.store import EntryKind, LedgerEntry, ModelCallRow

_PLAN = sa.select(plans).where(by(plans.c.owner_id))
_SAVE_PLAN = insert_or_replace(plans, ["owner_id"])

_spent, _reserved = budget_days.c.spent_usd_micros, budget_days.c.reserved_usd_micros
_amount = sa.bindparam("amount", type_=sa.BigInteger)
_this_day = (by(budget_days.c.owner_id), by(budget_days.c.day_start))
_DAY = sa.select(budget_days).where(*_this_day)
_LOCK_DAY = _DAY.with_for_update()
_ADD_DAY = insert_if_absent(budget_days)
_SAVE_DAY = sa.update(budget_days).where(*_this_day)
_RESERVE = (
    sa.update(budget_days)
    .where(*_this_day, _spent + _reserved + _amount <= budget_days.c.ceiling_usd_micros)
    .values(reserved_usd_micros=_reserved + _amount)
)
_SPEND = (
    sa.update(budget_days)
    .where(*_this_day)
    .values(
        spent_usd_micros=_spent + _amount,
        reserved_usd_micros=_reserved - sa.bindparam("released", type_=sa.BigInteger),
    )
)
_in_cycle = budget_days.c.day_start.between(sa.bindparam("first"), sa.bindparam("last"))
_overlaps = (budget_days.c.day_start < sa.bindparam("end")) & (
    budget_days.c.day_end > sa.bindparam("start")
)
_OTHER_DAYS = sa.select(budget_days).where(
    by(budget_days.c.owner_id),
    budget_days.c.day_start != sa.bindparam("start"),
    _in_cycle | _overlaps,
)

_BEGIN_CALL = sa.insert(model_calls)
_SETTLE_CALL = (
    sa.update(model_calls)
    .where(by(model_calls.c.request_id), model_calls.c.settled_at.is_(None))
    .returning(model_calls.c.owner_id, model_calls.c.day_start, model_calls.c.reserved_usd_micros)
)
_OPEN_CALLS = (
    sa.select(model_calls)
    .where(by(model_calls.c.session_id), model_calls.c.settled_at.is_(None))
    .order_by(model_calls.c.started_at, model_calls.c.request_id)
)

_ADD_ENTRY = sa.insert(ledger)
_ADD_NEW_ENTRY = insert_if_absent(ledger)
_ONE_ENTRY = sa.select(ledger).where(by(ledger.c.request_id))
_OF_OWNER = (
    sa.select(ledger)
    .where(by(ledger.c.owner_id))
    .order_by(ledger.c.at.desc(), ledger.c.row_id.desc())
    .limit(sa.bindparam("most"))
)
_OF_SESSION = _OF_OWNER.where(by(ledger.c.session_id))
_SPENT_BY_SESSION = sa.select(
    sa.func.coalesce(sa.func.sum(ledger.c.amount_usd_micros), 0).label("total")
).where(
    by(ledger.c.session_id),
    ledger.c.kind.in_([EntryKind.CALL.value, EntryKind.ESTIMATE.value]),
)


class SqlLedgerRows:
    """Implements `ports.store.LedgerRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def plan(self, owner_id: OwnerId) -> Plan | None:
        """The owner's present plan."""
        row = await self._db.row(_PLAN, by_owner_id=owner_id)
        return _plan(row) if row else None

    async def save_plan(self, plan: Plan) -> None:
        """Make this the owner's plan."""
        await self._db.change(
            _SAVE_PLAN,
            owner_id=plan.owner_id,
            cycle_amount_usd_micros=plan.cycle_amount_usd_micros,
            calendar=codec.encode_calendar(plan.calendar),
        )

    async def lock_day(self, owner_id: OwnerId, start: datetime) -> DayBudget | None:
        """The budget day that began at `start`, held until the transaction ends."""
        row = await self._db.row(_LOCK_DAY, by_owner_id=owner_id, by_day_start=start)
        return _day(row) if row else None

    async def day(self, owner_id: OwnerId, start: datetime) -> DayBudget | None:
        """The same, not locked."""
        row = await self._db.row(_DAY, by_owner_id=owner_id, by_day_start=start)
        return _day(row) if row else None

    async def add_day(self, day: DayBudget) -> None:
        """Begin a budget day, unless somebody else just did."""
        await self._db.change(
            _ADD_DAY,
            owner_id=day.owner_id,
            day_start=day.day.start,
            spent_usd_micros=day.spent_usd_micros,
            reserved_usd_micros=day.reserved_usd_micros,
            **_terms(day),
        )

    async def save_day(self, day: DayBudget) -> None:
        """Change the terms of a locked day; spent and reserved stay."""
        await self._db.change(
            _SAVE_DAY, by_owner_id=day.owner_id, by_day_start=day.day.start, **_terms(day)
        )

    async def other_days(self, owner_id: OwnerId, cycle: Span, day: Span) -> Sequence[DayBudget]:
        """The days that began in `cycle` or overlap `day`, without the one that is `day`."""
        rows = await self._db.rows(
            _OTHER_DAYS,
            by_owner_id=owner_id,
            first=cycle.start,
            last=cycle.end - timedelta(microseconds=1),
            start=day.start,
            end=day.end,
        )
        return [_day(row) for row in rows]

    async def reserve(self, call: ModelCallRow) -> bool:
        """Reserve and keep the call, or False: spent + reserved + amount > ceiling."""
        fits = await self._db.change(
            _RESERVE,
            by_owner_id=call.owner_id,
            by_day_start=call.day_start,
            amount=call.reserved_usd_micros,
        )
        if not fits:
            return False
        await self._db.change(
            _BEGIN_CALL,
            request_id=call.request_id,
            session_id=call.session_id,
            owner_id=call.owner_id,
            day_start=call.day_start,
            model=call.model,
            reserved_usd_micros=call.reserved_usd_micros,
            started_at=call.started_at,
            **vars(call.worst_usage),
        )
        return True

    async def settle(self, call: ModelCallRow, entry: LedgerEntry) -> bool:
        """Spend the entry's amount on the call's day, release its reservation, keep the entry."""
        kept = await self._db.row(_SETTLE_CALL, by_request_id=call.request_id, settled_at=entry.at)
        if kept is None:
            return False
        await self._db.change(
            _SPEND,
            by_owner_id=kept.owner_id,
            by_day_start=kept.day_start,
            amount=entry.amount_usd_micros,
            released=kept.reserved_usd_micros,
        )
        await self._db.change(_ADD_ENTRY, **_entry_values(entry))
        return True

    async def open_calls(self, session_id: SessionId) -> Sequence[ModelCallRow]:
        """Calls of the session that were begun and not settled."""
        rows = await self._db.rows(_OPEN_CALLS, by_session_id=session_id)
        return [_call(row) for row in rows]

    async def add_entry(self, entry: LedgerEntry) -> bool:
        """Keep an entry that is no call; False when its `request_id` was there before."""
        return await self._db.change(_ADD_NEW_ENTRY, **_entry_values(entry)) == 1

    async def entry(self, request_id: RequestId) -> LedgerEntry | None:
        """One entry."""
        row = await self._db.row(_ONE_ENTRY, by_request_id=request_id)
        return _entry(row) if row else None

    async def entries(
        self, owner_id: OwnerId, *, session_id: SessionId | None = None, limit: int = 1000
    ) -> Sequence[LedgerEntry]:
        """Entries, newest first."""
        if session_id is None:
            rows = await self._db.rows(_OF_OWNER, by_owner_id=owner_id, most=limit)
        else:
            rows = await self._db.rows(
                _OF_SESSION, by_owner_id=owner_id, by_session_id=session_id, most=limit
            )
        return [_entry(row) for row in rows]

    async def spent_by_session(self, session_id: SessionId) -> int:
        """Sum of the session's calls and estimates, in micro-dollars."""
        (row,) = await self._db.rows(_SPENT_BY_SESSION, by_session_id=session_id)
        return int(row.total)


def _plan(row: Row) -> Plan:
    return Plan(
        owner_id=OwnerId(row.owner_id),
        cycle_amount_usd_micros=row.cycle_amount_usd_micros,
        calendar=codec.decode_calendar(row.calendar),
    )


def _terms(day: DayBudget) -> dict[str, object]:
    """What a top-up or another plan changes. The ceiling is kept for `reserve` to compare."""
    return {
        "day_end": day.day.end,
        "base_usd_micros": day.base_usd_micros,
        "top_up_usd_micros": day.top_up_usd_micros,
        "cycle_left_usd_micros": day.cycle_left_usd_micros,
        "ceiling_usd_micros": day.ceiling_usd_micros,
    }


def _day(row: Row) -> DayBudget:
    return DayBudget(
        owner_id=OwnerId(row.owner_id),
        day=Span(start=row.day_start, end=row.day_end),
        base_usd_micros=row.base_usd_micros,
        top_up_usd_micros=row.top_up_usd_micros,
        cycle_left_usd_micros=row.cycle_left_usd_micros,
        spent_usd_micros=row.spent_usd_micros,
        reserved_usd_micros=row.reserved_usd_micros,
    )


def _usage(row: Row) -> Usage:
    return Usage(
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cache_read_tokens=row.cache_read_tokens,
        cache_write_tokens=row.cache_write_tokens,
    )


def _call(row: Row) -> ModelCallRow:
    return ModelCallRow(
        request_id=RequestId(row.request_id),
        session_id=SessionId(row.session_id),
        owner_id=OwnerId(row.owner_id),
        day_start=row.day_start,
        model=row.model,
        reserved_usd_micros=row.reserved_usd_micros,
        worst_usage=_usage(row),
        started_at=row.started_at,
    )


def _entry_values(entry: LedgerEntry) -> dict[str, object]:
    usage = entry.usage
    return {
        "request_id": entry.request_id,
        "owner_id": entry.owner_id,
        "session_id": entry.session_id,
        "kind": entry.kind.value,
        "amount_usd_micros": entry.amount_usd_micros,
        "model": entry.model,
        "provider_request_id": entry.provider_request_id,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cache_read_tokens": usage.cache_read_tokens if usage else None,
        "cache_write_tokens": usage.cache_write_tokens if usage else None,
        "price": entry.price,
        "at": entry.at,
    }


def _entry(row: Row) -> LedgerEntry:
    return LedgerEntry(
        request_id=RequestId(row.request_id),
        owner_id=OwnerId(row.owner_id),
        session_id=None if row.session_id is None else SessionId(row.session_id),
        kind=EntryKind(row.kind),
        amount_usd_micros=row.amount_usd_micros,
        model=row.model,
        provider_request_id=row.provider_request_id,
        usage=None if row.input_tokens is None else _usage(row),
        price=row.price,
        at=row.at,
    )
