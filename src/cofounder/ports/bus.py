"""How committed events reach whoever listens. The log in SQL stays the truth."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cofounder.domain.ids import JobId


class Bus(Protocol):
    """Publish and subscribe, at most once: a listener catches up from the log by `seq`."""

    async def publish(self, job_id: JobId, event_json: bytes) -> None:
        """Send one committed event's JSON. Never raises for a broken connection."""
        ...

    def subscribe(self, job_id: JobId) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Listen from the moment the context is entered.

        An empty item means "look into the log": something may have been missed.
        """
        ...

    async def close(self) -> None:
        """End every subscription."""
        ...
