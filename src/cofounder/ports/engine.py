"""The durable queue of turns. A turn is `advance(session_id, turn)`, many iterations long."""

from typing import Protocol

from cofounder.domain.ids import SessionId
from cofounder.ports.store import Transaction


class TurnHandler(Protocol):
    """Runs one turn to its end. Called again for the same turn after a crash."""

    async def __call__(self, session_id: SessionId, turn: int, /) -> None:
        """Claim the session for `turn` and go on until it must stop."""
        ...


class Engine(Protocol):
    """Durable dispatch: what was enqueued in a committed transaction runs at least once."""

    async def enqueue(
        self, tx: Transaction, session_id: SessionId, turn: int, *, delay_s: float = 0.0
    ) -> None:
        """Dispatch the turn, not before `delay_s` seconds from now, if `tx` commits.

        A session wakes early by enqueueing its next turn number; the delayed dispatch of
        the old number finds its turn gone and does nothing.
        """
        ...

    async def start(self, handler: TurnHandler) -> None:
        """Begin to dispatch, turns that a crash interrupted first."""
        ...

    @property
    def stopping(self) -> bool:
        """Whether turns are asked to end after their running iteration."""
        ...

    async def stop(self, *, grace_s: float) -> None:
        """Dispatch nothing more, wait up to `grace_s` for running turns, give up the rest.

        A turn that was given up is dispatched again at the next start.
        """
        ...
