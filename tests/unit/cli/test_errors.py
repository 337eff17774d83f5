import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cofounder.cli.client import UnreachableError
from cofounder.cli.errors import ExitCode, RefusedError, exit_code_of, message_of, report
from cofounder.domain.errors import (
    AlreadyResolvedError,
    Answer,
    BudgetExceededError,
    CofounderError,
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
    UnknownModelError,
)

ANSWER = Answer(
    decision="payer",
    guidance=None,
    resolved_by="local",
    resolved_at=datetime(2026, 3, 10, 12, tzinfo=UTC),
)


def refused(status: int, code: str = "", **more: object) -> RefusedError:
    body = {"title": "Title", "status": status, "detail": "What is wrong.", "code": code, **more}
    return RefusedError(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidInputError("x", field="f"), ExitCode.USAGE),
        (UnknownModelError("x", field="model"), ExitCode.USAGE),
        (NotFoundError("x"), ExitCode.NOT_FOUND),
        (BudgetExceededError("x"), ExitCode.BUDGET),
        (ConflictError("x"), ExitCode.FAILURE),
        (AlreadyResolvedError("x", answer=ANSWER), ExitCode.FAILURE),
        (ConfigurationError("x"), ExitCode.FAILURE),
        (StoreUnavailableError("x"), ExitCode.FAILURE),
        (UnreachableError("x"), ExitCode.FAILURE),
        (refused(404, "not_found"), ExitCode.NOT_FOUND),
        (refused(422, "invalid_input"), ExitCode.USAGE),
        (refused(422, "unknown_model"), ExitCode.USAGE),
        (refused(400, "malformed_json"), ExitCode.USAGE),
        (refused(413, "body_too_large"), ExitCode.USAGE),
        (refused(409, "conflict"), ExitCode.FAILURE),
        (refused(409, "already_resolved"), ExitCode.FAILURE),
        (refused(409, "budget_exceeded"), ExitCode.BUDGET),
        (refused(401, "unauthenticated"), ExitCode.FAILURE),
        (refused(500, "internal"), ExitCode.FAILURE),
    ],
)
def test_every_error_has_its_exit_code(error: CofounderError, code: ExitCode) -> None:
    assert exit_code_of(error) is code


def test_a_message_names_the_field_and_the_cure() -> None:
    error = refused(422, "invalid_input", field="max_tool_calls", cure="Leave it out.")
    assert message_of(error) == "Error: What is wrong. (field: max_tool_calls)\n  Leave it out."


def test_a_decision_that_was_answered_says_by_whom_when_and_what() -> None:
    answer = {
        "decision": "payer",
        "guidance": "the one with the card",
        "resolved_by": "local",
        "resolved_at": "2026-03-10T12:00:00Z",
    }
    message = message_of(refused(409, "already_resolved", answer=answer))
    assert "Answered by local at 2026-03-10T12:00:00Z: payer (the one with the card)" in message


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": 3}', b"\xff"])
def test_an_answer_that_is_no_problem_document_still_makes_a_message(body: bytes) -> None:
    assert message_of(RefusedError(502, body)) == "Error: The service answered 502."


def test_a_message_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in message_of(refused(422, detail="\x1b[2Jgone", cure="\x1b[31m"))


def test_a_defect_is_one_line_and_its_traceback_is_kept_in_a_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(ZeroDivisionError("by zero"), debug=False) is ExitCode.FAILURE
    told = capsys.readouterr().err
    assert told.startswith("Error: something unexpected happened: ZeroDivisionError: by zero\n")
    assert "Traceback" not in told
    kept = re.search(r"stands in (\S+\.log);", told)
    assert kept is not None
    log = Path(kept.group(1))
    assert "ZeroDivisionError: by zero" in log.read_text()
    log.unlink()


def test_debug_shows_the_traceback_too(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFoundError("There is no job x.", cure="List them."), debug=True)
    told = capsys.readouterr().err
    assert "NotFoundError" in told
    assert told.endswith("Error: There is no job x.\n  List them.\n")
