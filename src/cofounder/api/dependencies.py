"""What routes are given: the services, the owner, and the ids of the path.

None of these yields, so that none of them is held open while a stream runs.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias, cast

from fastapi import Depends, Header, Path
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from cofounder.api.access import OWNER_KEY
from cofounder.api.hub import Hub
from cofounder.domain.errors import NotFoundError
from cofounder.domain.ids import EscalationId, JobId, OwnerId
from cofounder.services.bundle import Services

_MAX_ID = 80


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, and what can be asked for."""

    owner_id: OwnerId
    services: Services


async def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


async def _hub(request: Request) -> Hub:
    return cast("Hub", request.app.state.hub)


class _Bearer(SecurityBase):
    """The owner whom the token check has found; documents that a token is needed."""

    def __init__(self) -> None:
        self.model = BearerModel(description="The token that `cofounder token` shows.")
        self.scheme_name = "token"

    async def __call__(self, request: Request) -> OwnerId:
        """The owner's id."""
        return cast("OwnerId", request.scope[OWNER_KEY])


async def _caller(
    services: Annotated[Services, Depends(_services)],
    owner_id: Annotated[OwnerId, Depends(_Bearer())],
) -> Caller:
    return Caller(owner_id=owner_id, services=services)


def _known_shape(text: str, kind: str) -> str:
    """An id of another shape names nothing, and need not be looked for."""
    plain = text.isascii() and text.replace("_", "").replace("-", "").isalnum()
    if not plain or len(text) > _MAX_ID:
        raise NotFoundError(f"There is no such {kind}.", cure=f"Use the {kind}'s own id.")
    return text


async def _job_id(job_id: Annotated[str, Path()]) -> JobId:
    return JobId(_known_shape(job_id, "job"))


async def _escalation_id(escalation_id: Annotated[str, Path()]) -> EscalationId:
    return EscalationId(_known_shape(escalation_id, "escalation"))


ServicesHere: TypeAlias = Annotated[Services, Depends(_services)]
HubHere: TypeAlias = Annotated[Hub, Depends(_hub)]
CallerHere: TypeAlias = Annotated[Caller, Depends(_caller)]
JobInPath: TypeAlias = Annotated[JobId, Depends(_job_id)]
EscalationInPath: TypeAlias = Annotated[EscalationId, Depends(_escalation_id)]
IdempotencyKey: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="The same key with the same request has its effect once.",
    ),
]
