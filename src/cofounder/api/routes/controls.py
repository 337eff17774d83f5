"""The founder's controls. Each answers with the job as it is then."""

from fastapi import APIRouter

from cofounder.api.dependencies import Caller, CallerHere, JobInPath
from cofounder.api.problems import documented
from cofounder.api.schemas.inputs import MessageIn
from cofounder.api.schemas.jobs import JobOut
from cofounder.domain.ids import JobId

router = APIRouter(
    prefix="/jobs/{job_id}", tags=["controls"], responses=documented(400, 404, 409, 413)
)


@router.post("/wake", operation_id="wake_job")
async def wake_job(job_id: JobInPath, caller: CallerHere) -> JobOut:
    """End a sleep early; refused (409, `budget_exceeded`) when there is no money."""
    await caller.services.sessions.wake(caller.owner_id, job_id)
    return await _now(caller, job_id)


@router.post("/pause", operation_id="pause_job")
async def pause_job(job_id: JobInPath, caller: CallerHere) -> JobOut:
    """Stop after the running step, until a person resumes it."""
    await caller.services.sessions.pause(caller.owner_id, job_id)
    return await _now(caller, job_id)


@router.post("/resume", operation_id="resume_job")
async def resume_job(job_id: JobInPath, caller: CallerHere) -> JobOut:
    """Go on after a pause, or try again after an error."""
    await caller.services.sessions.resume(caller.owner_id, job_id)
    return await _now(caller, job_id)


@router.post("/cancel", operation_id="cancel_job")
async def cancel_job(job_id: JobInPath, caller: CallerHere) -> JobOut:
    """End the job for good."""
    await caller.services.sessions.cancel(caller.owner_id, job_id)
    return await _now(caller, job_id)


@router.post("/messages", operation_id="send_message", status_code=202)
async def send_message(job_id: JobInPath, body: MessageIn, caller: CallerHere) -> JobOut:
    """Tell the agent something; it reads it before its next model call."""
    await caller.services.sessions.message(caller.owner_id, job_id, body.text)
    return await _now(caller, job_id)


async def _now(caller: Caller, job_id: JobId) -> JobOut:
    return JobOut.of(await caller.services.jobs.get(caller.owner_id, job_id))
