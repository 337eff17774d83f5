"""The mirror of a session's state for whoever reads Redis. SQL is the truth."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cofounder.domain.ids import SessionId


class HotState(Protocol):
    """Write-through keys with a TTL each. No method raises for a broken connection."""

    async def set_state(self, session_id: SessionId, state: str) -> None:
        """`cofounder:agent:{session_id}:state`, 90 000 s."""
        ...

    async def set_budget_pct(self, session_id: SessionId, budget_pct: int) -> None:
        """`cofounder:agent:{session_id}:budget_pct`, an integer 0-100, 90 s."""
        ...

    async def set_wake_at(self, session_id: SessionId, wake_at: datetime, *, now: datetime) -> None:
        """`cofounder:agent:{session_id}:wake_at`, ISO 8601 UTC.

        The TTL is the sleep's length in whole seconds, at least 1.
        """
        ...

    async def clear_wake_at(self, session_id: SessionId) -> None:
        """Take `wake_at` away when the sleep ended early."""
        ...

    async def take_wake_signals(self, session_ids: Sequence[SessionId]) -> Sequence[SessionId]:
        """Those of the sessions for which somebody set `wake_signal`; each is told once."""
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...
