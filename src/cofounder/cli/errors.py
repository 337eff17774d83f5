"""What went wrong, as one message on stderr and an exit code."""

import json
import sys
import tempfile
import traceback
from enum import IntEnum

from cofounder.cli.words import clean
from cofounder.domain.errors import (
    BudgetExceededError,
    CofounderError,
    InvalidInputError,
    NotFoundError,
)
from cofounder.domain.json_types import JsonObject, JsonValue


class ExitCode(IntEnum):
    """How a command ended, for scripts."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    NEEDS_HUMAN = 4
    BUDGET = 5
    INTERRUPTED = 130


_BY_STATUS = {
    400: ExitCode.USAGE,
    402: ExitCode.BUDGET,
    404: ExitCode.NOT_FOUND,
    413: ExitCode.USAGE,
    422: ExitCode.USAGE,
}
_BY_CODE = {
    BudgetExceededError.code: ExitCode.BUDGET,
    InvalidInputError.code: ExitCode.USAGE,
    NotFoundError.code: ExitCode.NOT_FOUND,
}


class RefusedError(CofounderError):
    """The service refused a request: its problem document (RFC 9457), read leniently.

    `answer` says who decided what and when, where a decision was answered before.
    """

    def __init__(self, status: int, body: bytes) -> None:
        problem = _document(body)
        title = _text(problem, "title") or f"The service answered {status}."
        super().__init__(_text(problem, "detail") or title, cure=_text(problem, "cure"))
        self.status = status
        self.code = _text(problem, "code")
        self.field = _text(problem, "field")
        answer = problem.get("answer")
        self.answer: JsonObject | None = answer if isinstance(answer, dict) else None

    @property
    def exit_code(self) -> ExitCode:
        """By the problem's code, else by its HTTP status."""
        by_status = _BY_STATUS.get(self.status, ExitCode.FAILURE)
        return _BY_CODE.get(self.code, by_status)


def exit_code_of(error: CofounderError) -> ExitCode:
    """The exit code of an error that was raised on purpose."""
    match error:
        case RefusedError():
            return error.exit_code
        case InvalidInputError():
            return ExitCode.USAGE
        case NotFoundError():
            return ExitCode.NOT_FOUND
        case BudgetExceededError():
            return ExitCode.BUDGET
    return ExitCode.FAILURE


def message_of(error: CofounderError) -> str:
    """What is wrong, in which field, and the cure: one to three lines."""
    field = error.field if isinstance(error, InvalidInputError | RefusedError) else ""
    lines = [f"Error: {clean(error.message)}" + (f" (field: {clean(field)})" if field else "")]
    if isinstance(error, RefusedError) and error.answer:
        lines.append(f"  {_answered(error.answer)}")
    if error.cure:
        lines.append(f"  {clean(error.cure)}")
    return "\n".join(lines)


def report(error: Exception, *, debug: bool) -> ExitCode:
    """Say on stderr what happened, and return the exit code.

    A traceback is shown with `debug` only; else that of a defect is kept in a file.
    """
    if debug:
        sys.stderr.write("".join(traceback.format_exception(error)))
    if isinstance(error, CofounderError):
        sys.stderr.write(f"{message_of(error)}\n")
        return exit_code_of(error)
    if not debug:
        told = clean(f"{type(error).__name__}: {error}")
        sys.stderr.write(f"Error: something unexpected happened: {told}\n{_kept(error)}\n")
    return ExitCode.FAILURE


def _kept(error: Exception) -> str:
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="cofounder-", suffix=".log", encoding="utf-8", delete=False
        ) as log:
            log.writelines(traceback.format_exception(error))
    except OSError:
        return "  Run it again with --debug to see where: cofounder --debug …"
    return f"  Where it happened stands in {log.name}; --debug shows it: cofounder --debug …"


def _answered(answer: JsonObject) -> str:
    told = (
        f"Answered by {_text(answer, 'resolved_by')} at {_text(answer, 'resolved_at')}: "
        f"{_text(answer, 'decision')}"
    )
    guidance = _text(answer, "guidance")
    return clean(f"{told} ({guidance})" if guidance else told)


def _document(body: bytes) -> dict[str, JsonValue]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _text(document: JsonObject, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""
