"""Commands about money: what there is, more for today, another plan."""

from decimal import Decimal, InvalidOperation

from rich.text import Text

from cofounder.api.schemas.budget import BudgetOut, PlanOut
from cofounder.cli import forms
from cofounder.cli.client import Service, path_of
from cofounder.cli.connection import asked
from cofounder.cli.machine import this_machine
from cofounder.cli.money_view import money_lines
from cofounder.cli.terminal import out, print_json
from cofounder.cli.view_state import budget_day
from cofounder.cli.words import both_times, clean, count
from cofounder.domain.errors import InvalidInputError
from cofounder.domain.json_types import JsonObject
from cofounder.domain.money import format_usd, micros_from_usd

_MOST_USD = 1_000_000


def usd_micros(text: str, *, field: str) -> int:
    """Micro-dollars of what a person typed. Raises `InvalidInputError`."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 < amount <= _MOST_USD):
        raise InvalidInputError(
            f"{clean(text)!r} is no amount of dollars.",
            field=field,
            cure=f"Give a number above 0 and up to {_MOST_USD}, like 2.50.",
        )
    return micros_from_usd(amount)


def top_up(form: forms.TopUp) -> None:
    """Add money to today; who sleeps for lack of it wakes."""
    body = {"amount_usd_micros": usd_micros(form.amount_usd, field="AMOUNT_USD")}
    path = path_of("budget", "top-up")
    found = asked(form.data_dir, lambda service: service.post(path, body, key=form.key))
    _show(found, as_json=form.as_json)


def budget(form: forms.Budget) -> None:
    """Show the budget, after changing the plan where options ask for it."""
    changes = (form.cycle_usd, form.renewal_day, form.time_zone)
    changed = any(change is not None for change in changes)
    work = (lambda s: _change(s, form)) if changed else (lambda s: s.get(path_of("budget")))
    _show(asked(form.data_dir, work), as_json=form.as_json)


async def _change(service: Service, form: forms.Budget) -> bytes:
    """What is not named stays as it is."""
    known = BudgetOut.model_validate_json(await service.get(path_of("budget"))).plan
    return await service.put(path_of("budget", "plan"), _plan(form, known))


def _plan(form: forms.Budget, known: PlanOut) -> JsonObject:
    amount = known.cycle_amount_usd_micros
    if form.cycle_usd is not None:
        amount = usd_micros(form.cycle_usd, field="--cycle-usd")
    renewal_day, time_zone = known.renewal_day, known.time_zone
    if form.renewal_day is not None or form.time_zone is not None:
        # Days of another length than a calendar's have neither; they end with this change.
        renewal_day = form.renewal_day or renewal_day or 1
        time_zone = form.time_zone or time_zone or "UTC"
    return {
        "cycle_amount_usd_micros": amount,
        "renewal_day": renewal_day,
        "time_zone": time_zone,
    }


def _show(found: bytes, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    shown = BudgetOut.model_validate_json(found)
    console, now = out(), this_machine().clock.now()
    for line in money_lines(budget_day(shown.today), now, console.width, None):
        console.print(line)
    cycle, plan = shown.cycle, shown.plan
    left = f"{format_usd(cycle.left_usd_micros)} left for {count(cycle.days_left, 'day')}"
    ends = both_times(cycle.ends_at, now, None)
    console.print(Text.assemble(("Cycle   ", "bold"), f"{left}, today included · renews {ends}"))
    terms = f"{format_usd(plan.cycle_amount_usd_micros)} a cycle"
    if plan.renewal_day is not None:
        terms += f" · renews on day {plan.renewal_day} of the month · days turn in {plan.time_zone}"
    console.print(Text.assemble(("Plan    ", "bold"), terms))
