"""Creating jobs and reading them."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from cofounder.api.dependencies import CallerHere, IdempotencyKey, JobInPath
from cofounder.api.problems import documented
from cofounder.api.schemas.escalations import EscalationList, EscalationOut
from cofounder.api.schemas.inputs import JobIn
from cofounder.api.schemas.jobs import DocumentList, DocumentOut, JobOut, JobPage, StatusOut
from cofounder.domain.errors import InvalidInputError, NotFoundError
from cofounder.domain.ids import JobId

router = APIRouter(tags=["jobs"])


@router.post(
    "/jobs",
    operation_id="create_job",
    status_code=201,
    responses=documented(400, 409, 413),
)
async def create_job(
    body: JobIn,
    caller: CallerHere,
    response: Response,
    idempotency_key: IdempotencyKey = None,
) -> JobOut:
    """Have something built. A repeated request with the same key returns the same job."""
    view = await caller.services.jobs.create(
        caller.owner_id, body.request(), idempotency_key=idempotency_key
    )
    response.headers["Location"] = f"/api/jobs/{view.job.job_id}"
    return JobOut.of(view)


@router.get("/jobs", operation_id="list_jobs")
async def list_jobs(
    caller: CallerHere,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> JobPage:
    """The owner's jobs, newest first."""
    before = None if cursor is None else JobId(cursor)
    if before is not None:
        try:
            await caller.services.jobs.get(caller.owner_id, before)
        except NotFoundError as error:
            raise InvalidInputError(
                "There is no such cursor.", field="cursor", cure="Use next_cursor of a page."
            ) from error
    views = await caller.services.jobs.page(caller.owner_id, before=before, limit=limit + 1)
    more = len(views) > limit
    return JobPage(
        items=[JobOut.of(view) for view in views[:limit]],
        next_cursor=views[limit - 1].job.job_id if more else None,
    )


@router.get("/jobs/{job_id}", operation_id="get_job", responses=documented(404))
async def get_job(job_id: JobInPath, caller: CallerHere) -> JobOut:
    """One job."""
    return JobOut.of(await caller.services.jobs.get(caller.owner_id, job_id))


@router.get("/jobs/{job_id}/status", operation_id="get_job_status", responses=documented(404))
async def get_job_status(job_id: JobInPath, caller: CallerHere) -> StatusOut:
    """Everything that a freshly loaded page needs; the stream goes on after `last_seq`."""
    return StatusOut.of(await caller.services.jobs.status(caller.owner_id, job_id))


@router.get(
    "/jobs/{job_id}/escalations",
    operation_id="list_job_escalations",
    responses=documented(404),
)
async def list_job_escalations(job_id: JobInPath, caller: CallerHere) -> EscalationList:
    """The job's open and past decisions, oldest first."""
    found = await caller.services.jobs.escalations(caller.owner_id, job_id)
    return EscalationList(items=[EscalationOut.of(each) for each in found])


@router.get(
    "/jobs/{job_id}/documents", operation_id="list_job_documents", responses=documented(404)
)
async def list_job_documents(job_id: JobInPath, caller: CallerHere) -> DocumentList:
    """The newest version of each document."""
    found = await caller.services.jobs.documents(caller.owner_id, job_id)
    return DocumentList(items=[DocumentOut.of(each) for each in found])
