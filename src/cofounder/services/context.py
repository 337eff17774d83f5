"""What the use cases of a running session share."""

from dataclasses import dataclass

from cofounder.agent.journal import Turn
from cofounder.domain.errors import FenceLostError
from cofounder.domain.session import Session
from cofounder.ports.clock import Clock, Ids
from cofounder.ports.engine import Engine
from cofounder.ports.model import Prices
from cofounder.ports.store import Store, Transaction
from cofounder.services.budget import BudgetService
from cofounder.services.escalations import EscalationService
from cofounder.services.transitions import Transitions


@dataclass(frozen=True, kw_only=True)
class Context:
    """Ports and services, wired once at start."""

    store: Store
    clock: Clock
    ids: Ids
    prices: Prices
    engine: Engine
    transitions: Transitions
    budget: BudgetService
    escalations: EscalationService

    async def claimed(self, tx: Transaction, turn: Turn) -> Session:
        """The turn's session, locked. `FenceLostError` when another worker has it now."""
        session = await tx.sessions.lock(turn.job.session_id)
        if session is None or session.fence != turn.fence:
            raise FenceLostError("Another worker has claimed this session.")
        return session
