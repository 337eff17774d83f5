"""Routes, grouped by what they are about. Each one is a call of one use case."""

from fastapi import APIRouter

from cofounder.api.problems import documented
from cofounder.api.routes import budget, controls, escalations, events, jobs, operators

router = APIRouter()
for part in (jobs.router, controls.router, events.router, escalations.router, budget.router):
    router.include_router(part, prefix="/api", responses=documented(401, 403, 421, 422, 500, 503))
router.include_router(operators.router)
