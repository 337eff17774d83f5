"""Answering a decision."""

import typer
from rich.text import Text

from cofounder.api.schemas.escalations import EscalationOut
from cofounder.cli import forms
from cofounder.cli.client import path_of
from cofounder.cli.connection import asked
from cofounder.cli.sections import decision_lines
from cofounder.cli.terminal import can_ask, err, out, print_json
from cofounder.cli.words import clean
from cofounder.domain.errors import ConflictError, InvalidInputError


def resolve(form: forms.Resolve) -> None:
    """Answer a decision; without an option, show it and ask."""
    option, guidance = form.option, form.guidance
    if option is None:
        decision = _read(form)
        option = _chosen(decision)
        guidance = guidance if guidance is not None else _guidance()
    path = path_of("escalations", form.escalation, "resolve")
    body = {"decision": option, "guidance": guidance}
    found = asked(form.data_dir, lambda service: service.post(path, body))
    if form.as_json:
        print_json(found)
        return
    decided = EscalationOut.model_validate_json(found)
    label = next((o.label for o in decided.options if o.id == option), option)
    out().print(Text.assemble(("✓ Decided: ", "green"), clean(label)))
    err().print(f"The agent is told. Watch it: cofounder watch {decided.job_id}")


def _read(form: forms.Resolve) -> EscalationOut:
    path = path_of("escalations", form.escalation)
    found = asked(form.data_dir, lambda service: service.get(path))
    decision = EscalationOut.model_validate_json(found)
    answer = decision.answer
    if answer is not None:
        raise ConflictError(
            f"{answer.resolved_by} answered this at {answer.resolved_at:%Y-%m-%d %H:%M} UTC: "
            f"{answer.decision}.",
            cure="Nothing to do: the first answer holds.",
        )
    return decision


def _chosen(decision: EscalationOut) -> str:
    """The id of an option, asked for by id or number."""
    ids = [option.id for option in decision.options]
    if not can_ask():
        raise InvalidInputError(
            "The option is missing, and nobody is here to choose.",
            field="OPTION",
            cure=f"Choose one of {', '.join(ids)}: "
            f"cofounder resolve {decision.escalation_id} {decision.recommended}",
        )
    console = err()
    for line in decision_lines(decision, console.width):
        console.print(line)
    numbered = ", ".join(f"{number} {id_}" for number, id_ in enumerate(ids, start=1))
    while True:
        given = typer.prompt(f"Option ({numbered})", default=decision.recommended, err=True).strip()
        if given in ids:
            return str(given)
        if given.isdecimal() and 1 <= int(given) <= len(ids):
            return ids[int(given) - 1]
        console.print(f"There is no option {clean(given)}.")


def _guidance() -> str | None:
    given = typer.prompt(
        "Guidance for the agent (or Enter)", default="", show_default=False, err=True
    )
    return given.strip() or None
