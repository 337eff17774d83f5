"""What operators' probes and monitors read."""

import asyncio

import structlog
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from cofounder.api.dependencies import CallerHere, HubHere, ServicesHere
from cofounder.api.metrics import CONTENT_TYPE, measure
from cofounder.api.problems import documented, problem, rendered
from cofounder.api.schemas.health import Alive, Ready
from cofounder.domain.errors import StoreUnavailableError
from cofounder.domain.ids import JobId

router = APIRouter(tags=["operators"])
_LOG = structlog.get_logger(__name__)
_LIMIT_S = 2
_NO_DATABASE = problem(
    503,
    "not_ready",
    "The check 'database' failed: it cannot be read.",
    field="database",
    cure="Look into the service's log.",
)


@router.get("/api/health/live", operation_id="live", responses=documented(500))
async def live(request: Request) -> Alive:
    """The process answers. Needs no token."""
    return Alive(status="ok", version=request.app.version)


@router.get(
    "/api/health/ready",
    operation_id="ready",
    response_model=Ready,
    responses=documented(500, 503),
)
async def ready(services: ServicesHere) -> Ready | Response:
    """The database can be read (503 when not). Needs no token."""
    try:
        async with asyncio.timeout(_LIMIT_S), services.store.reading() as tx:
            await tx.jobs.get(JobId("ready"))
    except (TimeoutError, StoreUnavailableError) as error:
        _LOG.error("not_ready", check="database", why=str(error) or f"silent for {_LIMIT_S} s")
        return rendered(_NO_DATABASE)
    return Ready(status="ok", checks=["database"])


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=PlainTextResponse,
    responses=documented(401, 403, 421, 500, 503),
)
async def metrics(caller: CallerHere, hub: HubHere) -> PlainTextResponse:
    """Figures of this process and of the owner's sessions, as Prometheus reads them."""
    text = await measure(caller.services, caller.owner_id, open_streams=hub.open_streams)
    return PlainTextResponse(text, media_type=CONTENT_TYPE)
