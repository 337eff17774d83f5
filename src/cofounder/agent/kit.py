"""What the loop works with, handed in once."""

from dataclasses import dataclass

from cofounder.agent.journal import Journal
from cofounder.agent.retry import RetryPolicy
from cofounder.agent.tools.registry import Registry
from cofounder.ports.clock import Clock, Ids
from cofounder.ports.model import Model
from cofounder.ports.sandbox import Workspace


@dataclass(frozen=True, kw_only=True)
class Kit:
    """Ports, tools and policies of one turn. `max_tokens` bounds a reply."""

    clock: Clock
    ids: Ids
    model: Model
    workspace: Workspace
    tools: Registry
    journal: Journal
    retry: RetryPolicy
    max_tokens: int
