"""The provider's errors as `domain.errors`, by its error type where it names one.

Source: the provider's documentation of errors, and what it was seen to send.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from cofounder.domain.errors import (
    ModelCredentialsError,
    ModelError,
    ModelOverloadedError,
    ModelRateLimitedError,
    ModelRejectedError,
)
from cofounder.domain.money import Usage

_BY_TYPE: Mapping[str, type[ModelError]] = {
    "invalid_request_error": ModelRejectedError,
    "not_found_error": ModelRejectedError,
    "request_too_large": ModelRejectedError,
    "authentication_error": ModelCredentialsError,
    "permission_error": ModelCredentialsError,
    "billing_error": ModelCredentialsError,
    "rate_limit_error": ModelRateLimitedError,
    "overloaded_error": ModelOverloadedError,
    "api_error": ModelOverloadedError,
    "timeout_error": ModelOverloadedError,
}
_BY_STATUS: Mapping[int, type[ModelError]] = {
    # An error in mid-stream comes with the status of the stream.
    200: ModelOverloadedError,
    401: ModelCredentialsError,
    402: ModelCredentialsError,
    403: ModelCredentialsError,
    408: ModelOverloadedError,
    409: ModelOverloadedError,
    429: ModelRateLimitedError,
}

# These come as 429 or 400, although no waiting and no other request mends them.
_FOR_A_PERSON_CODES = ("spend_limit_reached", "organization_on_hold")
_FOR_A_PERSON_TEXTS = ("credit balance is too low",)


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What the provider said. `code` is its stable name for the cause, often absent."""

    status: int
    type: str | None
    code: str | None
    message: str
    request_id: str | None
    retry_after_s: float | None = None


def to_error(failure: Failure, usage: Usage | None) -> ModelError:
    """The error to raise; `usage` is what was counted before it failed."""
    what = f"{failure.status} {failure.type or 'error'}: {failure.message}"
    # The provider's support asks for the request's id.
    where = f" (request {failure.request_id})" if failure.request_id else ""
    return _kind(failure)(what + where, usage=usage, retry_after_s=failure.retry_after_s)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """The wait that an answer asks for: seconds, or a date, counted from the answer's own."""
    asked = headers.get("retry-after")
    if asked is None:
        return None
    try:
        seconds = float(asked)
    except ValueError:
        seconds = _until(asked, headers.get("date", ""))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(date: str, now: str) -> float:
    try:
        return (parsedate_to_datetime(date) - parsedate_to_datetime(now)).total_seconds()
    # TypeError: one of the two dates names no time zone.
    except (ValueError, TypeError):
        return math.nan


def _kind(failure: Failure) -> type[ModelError]:
    for_a_person = (failure.code or "").endswith(_FOR_A_PERSON_CODES) or any(
        text in failure.message for text in _FOR_A_PERSON_TEXTS
    )
    if for_a_person:
        return ModelCredentialsError
    by_class = ModelOverloadedError if failure.status >= 500 else ModelRejectedError
    by_status = _BY_STATUS.get(failure.status, by_class)
    return _BY_TYPE.get(failure.type or "", by_status)
