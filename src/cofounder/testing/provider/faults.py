"""What can go wrong with a call, as a script orders it.

A fault belongs to one attempt at one turn. Faults before the first byte cost nothing;
those in mid-stream are billed for what was sent until then. `after_events` counts the
events that still get through, `message_start` and `ping` included.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Status429:
    """Too many requests. `retry_after_s` goes into the header, as a date if asked for."""

    retry_after_s: float | None = None
    as_http_date: bool = False
    kind: Literal["status_429"] = "status_429"


@dataclass(frozen=True, kw_only=True)
class Overloaded529:
    """The provider is overloaded."""

    retry_after_s: float | None = None
    kind: Literal["overloaded_529"] = "overloaded_529"


@dataclass(frozen=True, kw_only=True)
class Unauthorized401:
    """The key is not accepted (any more)."""

    kind: Literal["unauthorized_401"] = "unauthorized_401"


@dataclass(frozen=True, kw_only=True)
class BadRequest400:
    """The request is refused, whatever it says."""

    message: str = "prompt is too long: 250000 tokens > 200000 maximum"
    kind: Literal["bad_request_400"] = "bad_request_400"


@dataclass(frozen=True, kw_only=True)
class Billing402:
    """The account cannot pay."""

    kind: Literal["billing_402"] = "billing_402"


@dataclass(frozen=True, kw_only=True)
class HttpFault:
    """Any other error answer."""

    status: int
    error_type: str
    message: str = "scripted failure"
    kind: Literal["http"] = "http"


@dataclass(frozen=True, kw_only=True)
class Slow:
    """The first byte comes late; then the turn is played as written."""

    seconds: float
    kind: Literal["slow"] = "slow"


@dataclass(frozen=True, kw_only=True)
class InStreamError:
    """An `error` event in a stream that began with status 200."""

    after_events: int = 3
    error_type: str = "overloaded_error"
    kind: Literal["in_stream_error"] = "in_stream_error"


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The connection is torn down in mid-stream."""

    after_events: int = 3
    kind: Literal["cut"] = "cut"


@dataclass(frozen=True, kw_only=True)
class SilentEnd:
    """The stream ends as if all were well, without its terminal event."""

    after_events: int = 3
    kind: Literal["silent_end"] = "silent_end"


@dataclass(frozen=True, kw_only=True)
class Hang:
    """The stream falls silent and stays open until the client goes away."""

    after_events: int = 3
    kind: Literal["hang"] = "hang"


_WITH_WAIT = Status429 | Overloaded529
Fault: TypeAlias = Annotated[
    Status429
    | Overloaded529
    | Unauthorized401
    | BadRequest400
    | Billing402
    | HttpFault
    | Slow
    | InStreamError
    | Cut
    | SilentEnd
    | Hang,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An error answer instead of a stream."""

    status: int
    error_type: str
    message: str
    retry_after_s: float | None = None
    as_http_date: bool = False


def refusal(fault: Fault | None) -> Refused | None:
    """The error answer that a fault stands for, if it is one."""
    match fault:
        case Status429():
            answer = (429, "rate_limit_error", "This request would exceed your rate limit.")
        case Overloaded529():
            answer = (529, "overloaded_error", "Overloaded")
        case Unauthorized401():
            answer = (401, "authentication_error", "invalid x-api-key")
        case BadRequest400():
            answer = (400, "invalid_request_error", fault.message)
        case Billing402():
            answer = (402, "billing_error", "Your payment did not go through.")
        case HttpFault():
            answer = (fault.status, fault.error_type, fault.message)
        case _:
            return None
    return Refused(
        status=answer[0],
        error_type=answer[1],
        message=answer[2],
        retry_after_s=fault.retry_after_s if isinstance(fault, _WITH_WAIT) else None,
        as_http_date=isinstance(fault, Status429) and fault.as_http_date,
    )
