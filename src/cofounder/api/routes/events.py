"""A job's events: history, which publishes the union of all types, and the live stream."""

from typing import Annotated, TypeAlias

from fastapi import APIRouter, Header, Query, Response

from cofounder.api.dependencies import CallerHere, HubHere, JobInPath
from cofounder.api.problems import documented
from cofounder.api.schemas.events import EventPage
from cofounder.api.sse import Cursor, read_cursor
from cofounder.api.stream import MAX_REPLAY, EventStream, StreamRequest
from cofounder.domain.errors import InvalidInputError
from cofounder.domain.events import event_types

router = APIRouter(prefix="/jobs/{job_id}", tags=["events"], responses=documented(404))

_MAX_SEQ = 10**15
_TYPES = event_types()

TypeFilter: TypeAlias = Annotated[
    list[str],
    Query(
        alias="type",
        default_factory=list,
        description="Only these.",
        json_schema_extra={"items": {"type": "string", "enum": list(_TYPES)}},
    ),
]


@router.get("/events", operation_id="list_events")
async def list_events(
    job_id: JobInPath,
    caller: CallerHere,
    types: TypeFilter,
    after: Annotated[int, Query(ge=0, le=_MAX_SEQ, description="The last seq seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> EventPage:
    """History later than `after`, oldest first."""
    for name in types:
        if name not in _TYPES:
            raise InvalidInputError(
                f"There is no event type {name!r}.",
                field="type",
                cure=f"Choose from: {', '.join(_TYPES)}.",
            )
    found = await caller.services.jobs.events(
        caller.owner_id, job_id, after=after, limit=limit, types=types
    )
    # Read last, so that no event lies beyond the `last_seq` that comes with it.
    return EventPage.of(found, await caller.services.jobs.log_head(caller.owner_id, job_id))


@router.get(
    "/events/stream",
    operation_id="stream_events",
    response_class=Response,
    responses={
        200: {
            "description": (
                "Server-sent events: `id` is EPOCH:SEQ, `event` an event's type, `data` the "
                "event as GET …/events shows it. Besides, `ping` without an id "
                "({server_time}) and `reset` ({reason, epoch, last_seq}): what came before "
                "`last_seq` has to be read anew."
            ),
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
)
async def stream_events(
    job_id: JobInPath,
    hub: HubHere,
    caller: CallerHere,
    after: Annotated[
        str | None, Query(description=f"SEQ or EPOCH:SEQ; at most {MAX_REPLAY} events back.")
    ] = None,
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="Goes before `after`.")
    ] = None,
) -> Response:
    """The job's events as they happen, beginning after the reader's position."""
    cursor = _cursor(last_event_id, after)
    # Refused here: an answer has begun when the stream itself finds out.
    await caller.services.jobs.log_head(caller.owner_id, job_id)
    request = StreamRequest(owner_id=caller.owner_id, job_id=job_id, cursor=cursor)
    return EventStream(caller.services.jobs, hub, request)


def _cursor(last_event_id: str | None, after: str | None) -> Cursor:
    if last_event_id:
        return read_cursor(last_event_id, field="Last-Event-ID")
    return read_cursor(after, field="after") if after else Cursor(seq=0, epoch=None)
