"""One tree of errors. HTTP status and exit code are mapped from it at the edges.

CofounderError
├── InvalidInputError        a field is wrong (names the field and the cure)
│   ├── UnknownModelError    no price is known for the model
│   └── SandboxPathError     a path that leaves the workspace or is no regular file
├── NotFoundError            no such job, session or escalation for this owner
├── ConflictError            the request does not fit the present state
│   └── AlreadyResolvedError somebody answered first (says who, when, what)
├── BudgetExceededError      the money does not suffice
├── ConfigurationError       the service cannot start like this
│   └── SandboxUnavailableError no isolation is to be had: refused, never open
├── FenceLostError           another worker has claimed the session since
├── StoreUnavailableError    the database cannot be reached
└── ModelError               a model call that failed
    ├── ModelRejectedError       400: the request itself is wrong; never retried
    ├── ModelCredentialsError    401, 403, billing: a person has to act
    ├── ModelRateLimitedError    429, with the wait that was asked for
    ├── ModelOverloadedError     529, 5xx, also in mid-stream
    └── ModelStreamCutError      the stream ended without its terminal event
"""

from dataclasses import dataclass
from datetime import datetime

from cofounder.domain.money import Usage


class CofounderError(Exception):
    """Base of every error that this project raises on purpose.

    `message` says what is wrong in plain words, `cure` what to do about it.
    """

    code = "error"

    def __init__(self, message: str, *, cure: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure


class InvalidInputError(CofounderError):
    """A value that was handed in is wrong. `field` names it."""

    code = "invalid_input"

    def __init__(self, message: str, *, field: str, cure: str = "") -> None:
        super().__init__(message, cure=cure)
        self.field = field


class UnknownModelError(InvalidInputError):
    """No price is known for the model, so no call can be paid for."""

    code = "unknown_model"


class NotFoundError(CofounderError):
    """The thing does not exist, or belongs to another owner."""

    code = "not_found"


class ConflictError(CofounderError):
    """The request is well-formed and does not fit the present state."""

    code = "conflict"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Who decided what, and when."""

    decision: str
    guidance: str | None
    resolved_by: str
    resolved_at: datetime


class AlreadyResolvedError(ConflictError):
    """The escalation was answered before; `answer` is what holds."""

    code = "already_resolved"

    def __init__(self, message: str, *, answer: Answer) -> None:
        super().__init__(message, cure="Nothing to do: the first answer holds.")
        self.answer = answer


class BudgetExceededError(CofounderError):
    """The allowance does not suffice for what was asked."""

    code = "budget_exceeded"


class ConfigurationError(CofounderError):
    """The service cannot run with these settings on this machine."""

    code = "configuration"


class SandboxUnavailableError(ConfigurationError):
    """No isolation is available, so no command is run at all."""

    code = "sandbox_unavailable"


class SandboxPathError(InvalidInputError):
    """A path leads out of the workspace, or to something that is no regular file."""

    code = "sandbox_path"


class FenceLostError(CofounderError):
    """The session was claimed by somebody else since; this worker must not write."""

    code = "fence_lost"


class StoreUnavailableError(CofounderError):
    """The database cannot be reached or opened."""

    code = "store_unavailable"


class ModelError(CofounderError):
    """A model call failed.

    `usage` holds what the call may have cost, where the provider said anything before it
    failed: input and cache tokens are exact, output tokens are an upper bound.
    `retry_after_s` is the wait that the provider asked for, in seconds.
    """

    code = "model_error"
    retryable = False

    def __init__(
        self, message: str, *, usage: Usage | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.usage = usage
        self.retry_after_s = retry_after_s


class ModelRejectedError(ModelError):
    """The provider says that the request is wrong. Sending it again cannot help."""

    code = "model_rejected"


class ModelCredentialsError(ModelError):
    """Key, permission or payment: only a person can mend it."""

    code = "model_credentials"


class ModelRateLimitedError(ModelError):
    """Too many requests, or a quota that renews later."""

    code = "model_rate_limited"
    retryable = True


class ModelOverloadedError(ModelError):
    """The provider is overloaded or failed on its side."""

    code = "model_overloaded"
    retryable = True


class ModelStreamCutError(ModelError):
    """The reply ended, or went silent, before its terminal event."""

    code = "model_stream_cut"
    retryable = True
