"""What stands where Redis would, when none is set: SQL has it all."""

from collections.abc import Sequence
from datetime import datetime

from cofounder.domain.ids import SessionId


class NoHotState:
    """`ports.hot_state.HotState` that mirrors nothing and never has a signal."""

    async def set_state(self, session_id: SessionId, state: str) -> None:
        """Nothing to do."""

    async def set_budget_pct(self, session_id: SessionId, budget_pct: int) -> None:
        """Nothing to do."""

    async def set_wake_at(self, session_id: SessionId, wake_at: datetime, *, now: datetime) -> None:
        """Nothing to do."""

    async def clear_wake_at(self, session_id: SessionId) -> None:
        """Nothing to do."""

    async def take_wake_signals(self, session_ids: Sequence[SessionId]) -> Sequence[SessionId]:
        """Nobody can have set one."""
        return ()

    async def close(self) -> None:
        """Nothing to do."""
