"""Commands that change a job: create it, control it, tell the agent something."""

import json
from pathlib import Path

import typer

from cofounder.api.schemas.jobs import JobOut
from cofounder.cli import forms
from cofounder.cli.client import path_of
from cofounder.cli.connection import asked
from cofounder.cli.terminal import can_ask, err, out, print_json
from cofounder.cli.words import clean, look
from cofounder.domain.errors import InvalidInputError
from cofounder.domain.json_types import JsonObject, JsonValue


def control(form: forms.OneJob, verb: str) -> None:
    """`pause`, `resume`, `wake`, `cancel`."""
    path = path_of("jobs", form.job, verb)
    _show_job(asked(form.data_dir, lambda service: service.post(path, {})), form)


def cancel(form: forms.Cancel) -> None:
    """End a job for good, once a person has said so."""
    if not form.yes:
        if not can_ask():
            raise InvalidInputError(
                "Cancelling ends the job for good, and nobody is here to confirm it.",
                field="--yes",
                cure=f"Say it with the command: cofounder cancel {form.job} --yes",
            )
        typer.confirm(f"End {clean(form.job)} for good?", abort=True, err=True)
    control(form, "cancel")


def message(form: forms.Message) -> None:
    """Tell the agent something."""
    path = path_of("jobs", form.job, "messages")
    body = {"text": form.text}
    _show_job(asked(form.data_dir, lambda service: service.post(path, body)), form)


def _show_job(found: bytes, form: forms.Reading) -> None:
    if form.as_json:
        print_json(found)
        return
    job = JobOut.model_validate_json(found)
    shown = look(job.state)
    out().print(f"{job.job_id}  {shown.symbol} {shown.word}")


def create(form: forms.Run) -> JobOut:
    """Have something built; says its id."""
    body = _job(form)
    found = asked(form.data_dir, lambda service: service.post(path_of("jobs"), body))
    job = JobOut.model_validate_json(found)
    if form.as_json:
        print_json(found)
    else:
        err().print(f"Created {job.job_id}. Watch it: cofounder watch {job.job_id}")
    return job


def _job(form: forms.Run) -> JsonObject:
    body: dict[str, JsonValue] = {"idea_brief": form.idea}
    if form.qna is not None:
        body["understanding_qna"] = _json(form.qna, field="--qna")
    if form.plan is not None:
        read = _json if form.plan.suffix == ".json" else _text
        body["build_plan"] = read(form.plan, field="--plan")
    if form.model is not None:
        body["model"] = form.model
    if form.max_tool_calls is not None:
        body["max_tool_calls"] = form.max_tool_calls
    return body


def _text(file: Path, *, field: str) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{file} cannot be read as text: {error}.", field=field, cure="Save it as UTF-8."
        ) from error


def _json(file: Path, *, field: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(_text(file, field=field))
    except ValueError as error:
        raise InvalidInputError(
            f"{file} is no JSON: {error}.", field=field, cure="See cofounder run --help."
        ) from error
    return value
