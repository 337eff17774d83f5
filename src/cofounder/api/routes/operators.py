"""What operators' probes and monitors read."""

import asyncio

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from cofounder.api.dependencies import CallerHere, HubHere, ServicesHere
from cofounder.api.metrics import CONTENT_TYPE, measure
from cofounder.api.problems import documented
from cofounder.api.schemas.health import Alive, Ready
from cofounder.domain.errors import StoreUnavailableError
from cofounder.domain.ids import JobId

router = APIRouter(tags=["operators"])
_LIMIT_S = 2


@router.get("/api/health/live", operation_id="live", responses=documented(500))
async def live(request: Request) -> Alive:
    """The process answers. Needs no token."""
    return Alive(status="ok", version=request.app.version)


@router.get("/api/health/ready", operation_id="ready", responses=documented(500, 503))
async def ready(services: ServicesHere) -> Ready:
    """The database can be read (503 when not). Needs no token."""
    try:
        async with asyncio.timeout(_LIMIT_S), services.store.reading() as tx:
            await tx.jobs.get(JobId("ready"))
    except TimeoutError as error:
        raise StoreUnavailableError(f"No answer within {_LIMIT_S} s.") from error
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
