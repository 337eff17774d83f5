"""The owner's money: today's allowance, what calls cost, top-ups and plans."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cofounder.domain import budget as rules
from cofounder.domain.budget import DayBudget, Forecast, Plan, forecast
from cofounder.domain.errors import BudgetExceededError, ConflictError, InvalidInputError
from cofounder.domain.ids import OwnerId, RequestId
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar
from cofounder.domain.session import ASLEEP, ENDED, Session, SessionState
from cofounder.ports.clock import Clock, Ids
from cofounder.ports.store import EntryKind, LedgerEntry, ModelCallRow, Store, Transaction
from cofounder.services.transitions import BUDGET_REASON, Transitions

MAX_AMOUNT_USD_MICROS = 1_000_000_000_000
_LIVE = frozenset(SessionState) - ENDED


@dataclass(frozen=True, kw_only=True)
class DefaultPlan:
    """What an owner without a plan of their own gets."""

    cycle_amount_usd_micros: int
    calendar: MonthlyCalendar | FixedCalendar


@dataclass(frozen=True, kw_only=True)
class BudgetReport:
    """Today's budget as it is shown; nothing in it is written."""

    plan: Plan
    today: DayBudget
    forecast: Forecast
    days_left: int
    cycle_end: datetime
    entries: Sequence[LedgerEntry]


class BudgetService:
    """Money of all owners. `today` and `record_call_cost` work inside the caller's transaction."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        ids: Ids,
        transitions: Transitions,
        default_plan: DefaultPlan,
    ) -> None:
        """All amounts are whole micro-dollars."""
        self._store, self._clock, self._ids = store, clock, ids
        self._transitions, self._default = transitions, default_plan

    calc_daily_budget = staticmethod(rules.calc_daily_budget)

    async def plan(self, tx: Transaction, owner_id: OwnerId) -> Plan:
        """The owner's plan, or the default one."""
        return await tx.ledger.plan(owner_id) or Plan(
            owner_id=owner_id,
            cycle_amount_usd_micros=self._default.cycle_amount_usd_micros,
            calendar=self._default.calendar,
        )

    async def today(self, tx: Transaction, owner_id: OwnerId) -> DayBudget:
        """Today's budget, locked; the day is begun when nobody has begun it yet."""
        now = self._clock.now()
        plan = await self.plan(tx, owner_id)
        start = plan.calendar.day_at(now).start
        day = await tx.ledger.lock_day(owner_id, start)
        if day is None:
            await tx.ledger.add_day(await self._begun(tx, plan, now))
            day = await tx.ledger.lock_day(owner_id, start)
        assert day is not None
        return day

    async def peek(self, tx: Transaction, owner_id: OwnerId) -> DayBudget:
        """Today's budget without locking or writing anything."""
        now = self._clock.now()
        plan = await self.plan(tx, owner_id)
        day = await tx.ledger.day(owner_id, plan.calendar.day_at(now).start)
        return day or await self._begun(tx, plan, now)

    async def _begun(self, tx: Transaction, plan: Plan, now: datetime) -> DayBudget:
        day, cycle = plan.calendar.day_at(now), plan.calendar.cycle_at(now)
        others = await tx.ledger.other_days(plan.owner_id, cycle, day)
        return rules.begin_day(plan, now, others)

    async def record_call_cost(
        self, tx: Transaction, call: ModelCallRow, entry: LedgerEntry
    ) -> DayBudget:
        """Settle the call on the day it was reserved on; returns today's budget after it."""
        await tx.ledger.settle(call, entry)
        return await self.today(tx, call.owner_id)

    async def get_budget_percentage(self, owner_id: OwnerId) -> int:
        """Today's spent share, an integer 0-100."""
        async with self._store.reading() as tx:
            return (await self.peek(tx, owner_id)).budget_pct

    async def is_at_graceful_threshold(self, owner_id: OwnerId) -> bool:
        """Whether the owner's sessions wind down."""
        async with self._store.reading() as tx:
            return (await self.peek(tx, owner_id)).at_graceful_threshold

    async def check_runaway(self, owner_id: OwnerId) -> None:
        """Raise `BudgetExceededError` when today's ceiling was crossed."""
        async with self._store.reading() as tx:
            if (await self.peek(tx, owner_id)).runaway:
                raise BudgetExceededError("Today's spending has crossed the hard ceiling.")

    async def report(self, owner_id: OwnerId, *, entries: int = 20) -> BudgetReport:
        """Everything that `GET /api/budget` shows."""
        now = self._clock.now()
        async with self._store.reading() as tx:
            plan = await self.plan(tx, owner_id)
            today = await self.peek(tx, owner_id)
            return BudgetReport(
                plan=plan,
                today=today,
                forecast=forecast(today, now),
                days_left=plan.calendar.days_left(now),
                cycle_end=plan.calendar.cycle_at(now).end,
                entries=await tx.ledger.entries(owner_id, limit=entries),
            )

    async def _sleepers(self, tx: Transaction, owner_id: OwnerId) -> Sequence[Session]:
        """Those who sleep, locked; one that is about to fall asleep has done so by then."""
        live = await tx.sessions.lock_of_owner(owner_id, _LIVE)
        return [session for session in live if session.state in ASLEEP]

    async def top_up(
        self, owner_id: OwnerId, amount_usd_micros: int, *, idempotency_key: str | None
    ) -> DayBudget:
        """Add money to today; sleepers of the owner wake at once. The same key counts once."""
        _check_amount(amount_usd_micros, field="amount_usd_micros")
        request_id = RequestId(
            f"topup:{owner_id}:{idempotency_key}" if idempotency_key else self._ids.new("topup")
        )
        async with self._store.writing() as tx:
            sleepers = await self._sleepers(tx, owner_id)
            day = await self.today(tx, owner_id)
            entry = self._grant(owner_id, request_id, EntryKind.TOP_UP, amount_usd_micros)
            if not await tx.ledger.add_entry(entry):
                return await self._repeated(tx, entry, day)
            day = replace(day, top_up_usd_micros=day.top_up_usd_micros + amount_usd_micros)
            await tx.ledger.save_day(day)
            await self._allow(tx, sleepers, day, "topped up")
            return day

    async def _repeated(self, tx: Transaction, entry: LedgerEntry, day: DayBudget) -> DayBudget:
        known = await tx.ledger.entry(entry.request_id)
        if known is None or known.amount_usd_micros != entry.amount_usd_micros:
            raise ConflictError(
                "This Idempotency-Key was used for another top-up.",
                cure="Use a new key for a new top-up.",
            )
        return day

    async def set_plan(self, plan: Plan) -> DayBudget:
        """Change the plan from now on: today's share is computed anew, sleepers may wake."""
        _check_amount(plan.cycle_amount_usd_micros, field="cycle_amount_usd_micros")
        now = self._clock.now()
        async with self._store.writing() as tx:
            sleepers = await self._sleepers(tx, plan.owner_id)
            await tx.ledger.save_plan(plan)
            request_id = RequestId(self._ids.new("plan"))
            amount = plan.cycle_amount_usd_micros
            await tx.ledger.add_entry(
                self._grant(plan.owner_id, request_id, EntryKind.PLAN, amount)
            )
            fresh = await self._begun(tx, plan, now)
            day = replace(
                await self.today(tx, plan.owner_id),
                base_usd_micros=fresh.base_usd_micros,
                cycle_left_usd_micros=fresh.cycle_left_usd_micros,
            )
            await tx.ledger.save_day(day)
            await self._allow(tx, sleepers, day, "the plan was changed")
            return day

    async def _allow(
        self, tx: Transaction, sleepers: Sequence[Session], day: DayBudget, reason: str
    ) -> None:
        """Tell those who sleep of the new allowance, and wake them if it suffices."""
        for session in sleepers:
            told = await self._transitions.show_budget(tx, session, day)
            paid = rules.can_work(day, told.needs_usd_micros)
            if told.sleep_reason == BUDGET_REASON and paid:
                await self._transitions.queue(tx, told, reason)

    def _grant(
        self, owner_id: OwnerId, request_id: RequestId, kind: EntryKind, amount_usd_micros: int
    ) -> LedgerEntry:
        return LedgerEntry(
            request_id=request_id,
            owner_id=owner_id,
            session_id=None,
            kind=kind,
            amount_usd_micros=amount_usd_micros,
            model=None,
            provider_request_id=None,
            usage=None,
            price=None,
            at=self._clock.now(),
        )


def _check_amount(amount_usd_micros: int, *, field: str) -> None:
    if not 0 < amount_usd_micros <= MAX_AMOUNT_USD_MICROS:
        raise InvalidInputError(
            "The amount must be more than 0 and at most $1,000,000.",
            field=field,
            cure="Give whole micro-dollars: $5 is 5000000.",
        )
