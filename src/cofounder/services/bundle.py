"""All services of a running process, as the API needs them."""

from dataclasses import dataclass

from cofounder.ports.bus import Bus
from cofounder.ports.clock import Clock
from cofounder.ports.store import Store
from cofounder.services.budget import BudgetService
from cofounder.services.escalations import EscalationService
from cofounder.services.jobs import JobService
from cofounder.services.sessions import SessionService


@dataclass(frozen=True, kw_only=True)
class Services:
    """Wired once by the bootstrap."""

    jobs: JobService
    sessions: SessionService
    escalations: EscalationService
    budget: BudgetService
    bus: Bus
    clock: Clock
    store: Store
