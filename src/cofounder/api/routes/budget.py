"""The owner's money."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Query

from cofounder.api.dependencies import Caller, CallerHere, IdempotencyKey
from cofounder.api.problems import documented
from cofounder.api.schemas.budget import BudgetOut
from cofounder.api.schemas.inputs import PlanIn, TopUpIn
from cofounder.domain.budget import Plan
from cofounder.domain.errors import InvalidInputError
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar

router = APIRouter(prefix="/budget", tags=["budget"])


@router.get("", operation_id="get_budget")
async def get_budget(
    caller: CallerHere, entries: Annotated[int, Query(ge=0, le=1000)] = 20
) -> BudgetOut:
    """Allowance, pace, forecast, plan, and the newest entries of the ledger."""
    report = await caller.services.budget.report(caller.owner_id, entries=entries)
    return BudgetOut.of(report)


@router.post("/top-up", operation_id="top_up", responses=documented(400, 413))
async def top_up(
    body: TopUpIn,
    caller: CallerHere,
    idempotency_key: IdempotencyKey = None,
) -> BudgetOut:
    """Add money to today; who sleeps for lack of it wakes at once."""
    await caller.services.budget.top_up(
        caller.owner_id, body.amount_usd_micros, idempotency_key=idempotency_key
    )
    return BudgetOut.of(await caller.services.budget.report(caller.owner_id))


@router.put("/plan", operation_id="set_plan", responses=documented(400, 413))
async def set_plan(body: PlanIn, caller: CallerHere) -> BudgetOut:
    """Change the plan from now on."""
    calendar = await _calendar(body, caller)
    plan = Plan(
        owner_id=caller.owner_id,
        cycle_amount_usd_micros=body.cycle_amount_usd_micros,
        calendar=calendar,
    )
    await caller.services.budget.set_plan(plan)
    return BudgetOut.of(await caller.services.budget.report(caller.owner_id))


async def _calendar(body: PlanIn, caller: Caller) -> MonthlyCalendar | FixedCalendar:
    if body.renewal_day is None and body.time_zone is None:
        return (await caller.services.budget.report(caller.owner_id, entries=0)).plan.calendar
    if body.renewal_day is None or not 1 <= body.renewal_day <= 31:
        raise InvalidInputError(
            "The renewal day must be from 1 to 31.",
            field="renewal_day",
            cure="31 is the last day of every month.",
        )
    try:
        zone = ZoneInfo(body.time_zone or "")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(
            "There is no such time zone.",
            field="time_zone",
            cure="Use a name like Europe/Berlin or UTC.",
        ) from error
    return MonthlyCalendar(renewal_day=body.renewal_day, time_zone=zone.key)
