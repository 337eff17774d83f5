"""Decisions over all jobs, and answering them."""

from typing import Annotated

from fastapi import APIRouter, Query

from cofounder.api.dependencies import CallerHere, EscalationInPath
from cofounder.api.problems import documented
from cofounder.api.schemas.escalations import EscalationList, EscalationOut
from cofounder.api.schemas.inputs import AnswerIn

router = APIRouter(prefix="/escalations", tags=["escalations"])


@router.get("", operation_id="list_escalations")
async def list_escalations(
    caller: CallerHere,
    *,
    only_open: Annotated[bool, Query(alias="open")] = False,
) -> EscalationList:
    """All decisions of the owner, oldest first; with `open=true` those that wait."""
    found = await caller.services.escalations.of_owner(caller.owner_id, only_open=only_open)
    return EscalationList(items=[EscalationOut.of(each) for each in found])


@router.get("/{escalation_id}", operation_id="get_escalation", responses=documented(404))
async def get_escalation(escalation_id: EscalationInPath, caller: CallerHere) -> EscalationOut:
    """One decision."""
    return EscalationOut.of(await caller.services.escalations.get(caller.owner_id, escalation_id))


@router.post(
    "/{escalation_id}/resolve",
    operation_id="resolve_escalation",
    responses=documented(400, 404, 409, 413),
)
async def resolve_escalation(
    escalation_id: EscalationInPath, body: AnswerIn, caller: CallerHere
) -> EscalationOut:
    """Decide. The first answer holds: a later one is 409 and says who decided what, and when."""
    return EscalationOut.of(
        await caller.services.escalations.resolve(
            caller.owner_id, escalation_id, decision=body.decision, guidance=body.guidance
        )
    )
