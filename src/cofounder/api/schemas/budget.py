"""Money as it is sent: whole micro-dollars."""

from pydantic import BaseModel

from cofounder.domain.budget import DayBudget, Forecast, Pace, Plan
from cofounder.domain.events.envelope import UtcDatetime
from cofounder.domain.money import Usage
from cofounder.domain.schedule import MonthlyCalendar
from cofounder.ports.store import EntryKind, LedgerEntry
from cofounder.services.budget import BudgetReport


class DayOut(BaseModel):
    """Today's budget: `limit_usd_micros` is the allowance, top-ups included.

    `pace_pct` is the share of the day that has passed; at the present rate the money
    `runs_out_at` that instant, null when it lasts until `refresh_at`.
    """

    started_at: UtcDatetime
    refresh_at: UtcDatetime
    limit_usd_micros: int
    top_up_usd_micros: int
    ceiling_usd_micros: int
    spent_usd_micros: int
    reserved_usd_micros: int
    budget_pct: int
    pace_pct: int
    pace: Pace
    runs_out_at: UtcDatetime | None

    @classmethod
    def of(cls, today: DayBudget, forecast: Forecast) -> "DayOut":
        """The same, to be sent."""
        return cls(
            started_at=today.day.start,
            refresh_at=today.day.end,
            limit_usd_micros=today.allowance_usd_micros,
            top_up_usd_micros=today.top_up_usd_micros,
            ceiling_usd_micros=today.ceiling_usd_micros,
            spent_usd_micros=today.spent_usd_micros,
            reserved_usd_micros=today.reserved_usd_micros,
            budget_pct=today.budget_pct,
            pace_pct=forecast.pace_pct,
            pace=forecast.pace,
            runs_out_at=forecast.runs_out_at,
        )


class PlanOut(BaseModel):
    """What may be spent per cycle. Days of another length than a calendar's have no
    `renewal_day` and no `time_zone`."""

    cycle_amount_usd_micros: int
    renewal_day: int | None
    time_zone: str | None

    @classmethod
    def of(cls, plan: Plan) -> "PlanOut":
        """The same, to be sent."""
        monthly = plan.calendar if isinstance(plan.calendar, MonthlyCalendar) else None
        return cls(
            cycle_amount_usd_micros=plan.cycle_amount_usd_micros,
            renewal_day=monthly.renewal_day if monthly else None,
            time_zone=monthly.time_zone if monthly else None,
        )


class CycleOut(BaseModel):
    """What is left of the cycle now, and for how many days, today included."""

    ends_at: UtcDatetime
    days_left: int
    left_usd_micros: int


class UsageOut(BaseModel):
    """Tokens of one model call; `input_tokens` leaves out the cached ones."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> "UsageOut":
        """The same, to be sent."""
        return cls(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )


class EntryOut(BaseModel):
    """A ledger entry: spent on a call, or granted. `price` is compact JSON, the list used."""

    request_id: str
    session_id: str | None
    kind: EntryKind
    amount_usd_micros: int
    model: str | None
    provider_request_id: str | None
    usage: UsageOut | None
    price: str | None
    at: UtcDatetime

    @classmethod
    def of(cls, entry: LedgerEntry) -> "EntryOut":
        """The same, to be sent."""
        return cls(
            request_id=entry.request_id,
            session_id=entry.session_id,
            kind=entry.kind,
            amount_usd_micros=entry.amount_usd_micros,
            model=entry.model,
            provider_request_id=entry.provider_request_id,
            usage=UsageOut.of(entry.usage) if entry.usage else None,
            price=entry.price,
            at=entry.at,
        )


class BudgetOut(BaseModel):
    """The owner's money; `entries` are the newest of the ledger, newest first."""

    plan: PlanOut
    today: DayOut
    cycle: CycleOut
    entries: list[EntryOut]

    @classmethod
    def of(cls, report: BudgetReport) -> "BudgetOut":
        """The same, to be sent."""
        today = report.today
        left = today.cycle_left_usd_micros + today.top_up_usd_micros - today.spent_usd_micros
        return cls(
            plan=PlanOut.of(report.plan),
            today=DayOut.of(today, report.forecast),
            cycle=CycleOut(
                ends_at=report.cycle_end, days_left=report.days_left, left_usd_micros=left
            ),
            entries=[EntryOut.of(entry) for entry in report.entries],
        )
