"""Every error becomes a problem in the form of RFC 9457, here and nowhere else."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TypeAlias, TypedDict

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cofounder.api.schemas.problems import AnswerOut, Problem
from cofounder.domain.errors import (
    AlreadyResolvedError,
    BudgetExceededError,
    CofounderError,
    ConflictError,
    FenceLostError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
)

MEDIA_TYPE = "application/problem+json"
_LOG = structlog.get_logger(__name__)

_STATUS: dict[type[CofounderError], int] = {
    InvalidInputError: 422,
    NotFoundError: 404,
    ConflictError: 409,
    FenceLostError: 409,
    BudgetExceededError: 409,
}
_JSON_CURE = "Send a JSON object with Content-Type: application/json, as docs/openapi.json says."
_PARAMETER_CURE = "Correct it or leave it out; docs/openapi.json says what it may be."


class PydanticError(TypedDict):
    """The part of pydantic's report that is used."""

    type: str
    loc: Sequence[str | int]
    msg: str


Responses: TypeAlias = dict[int | str, dict[str, object]]


def documented(*statuses: int) -> Responses:
    """The `responses` of a route, for the API description."""
    return {
        status: {"model": Problem, "description": HTTPStatus(status).phrase} for status in statuses
    }


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    cure: str | None = None,
    field: str | None = None,
) -> Problem:
    """A problem with the fields that follow from the others filled in."""
    return Problem(
        type=f"urn:cofounder:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        field=field,
        cure=cure or None,
        answer=None,
    )


def rendered(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as an answer, which is an ASGI application too."""
    return Response(
        problem.model_dump_json(),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def internal_error() -> Response:
    """The answer to a defect; what it was stands in the log only."""
    return rendered(
        problem(500, "internal", "The service failed.", cure="Look into its log, then try again.")
    )


def install(api: FastAPI) -> None:
    """Have every error of the framework and of the services rendered as a problem."""
    api.add_exception_handler(CofounderError, _of_service)
    api.add_exception_handler(RequestValidationError, _of_validation)
    api.add_exception_handler(HTTPException, _of_framework)
    api.add_exception_handler(Exception, _of_defect)


async def _of_service(request: Request, error: Exception) -> Response:
    assert isinstance(error, CofounderError)
    if isinstance(error, StoreUnavailableError):
        _LOG.error("store_unavailable", path=request.url.path, why=error.message)
        # The message names the database, which is nothing for everybody.
        text = "The database cannot be reached."
        return rendered(problem(503, error.code, text, cure="Try again in a moment."))
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), None)
    if status is None:
        _LOG.error("request_failed", path=request.url.path, exc_info=error)
        return internal_error()
    field = error.field if isinstance(error, InvalidInputError) else None
    found = problem(status, error.code, error.message, cure=error.cure, field=field)
    if isinstance(error, AlreadyResolvedError):
        found = found.model_copy(update={"answer": AnswerOut.of(error.answer)})
    return rendered(found)


async def _of_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[PydanticError] = error.errors()
    first = found[0]
    if first["type"] == "json_invalid":
        return rendered(_no_json(f"at character {first['loc'][-1]}"))
    named = [(_field(each["loc"]), each["msg"].removeprefix("Value error, ")) for each in found]
    text = "; ".join(f"{field or 'the body'}: {message}" for field, message in named[:10])
    field = named[0][0] or None
    cure = _JSON_CURE if first["loc"][0] == "body" else _PARAMETER_CURE
    return rendered(problem(422, "invalid_input", f"{text}.", field=field, cure=cure))


def _no_json(why: str) -> Problem:
    return problem(400, "malformed_json", f"The body is no JSON ({why}).", cure=_JSON_CURE)


def _field(location: Sequence[str | int]) -> str:
    """`("body", "build_plan", "phases", 0)` is `build_plan.phases.0`; the body itself is ""."""
    return ".".join(str(part) for part in location[1:])


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    if status == 400:
        # The only one that the framework makes: a body that its parser gave up on.
        return rendered(_no_json("not UTF-8, nested too deep, or a number too long"))
    text, cure = str(error.detail), None
    if status == 404:
        text, cure = f"There is nothing at {request.url.path}.", "See docs/openapi.json."
    if status == 405:
        text = f"{request.method} is not allowed here."
        cure = "See docs/openapi.json for the methods of this path."
    code = HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    return rendered(problem(status, code, text, cure=cure), error.headers)


async def _of_defect(request: Request, error: Exception) -> Response:
    # The framework raises it again after this, and the outermost layer logs it.
    return internal_error()
