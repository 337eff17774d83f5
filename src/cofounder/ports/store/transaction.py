"""The store and its transaction."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from cofounder.domain.events import Event
from cofounder.ports.store.conversation import ConversationRows
from cofounder.ports.store.decisions import DecisionRows
from cofounder.ports.store.jobs import JobRows, SessionRows
from cofounder.ports.store.ledger import LedgerRows
from cofounder.ports.store.work import EventRows, StoredEvent, WorkRows


class Transaction(Protocol):
    """All rows, as one transaction sees them."""

    @property
    def connection(self) -> object:
        """The adapter's own handle, for the engine to enqueue in this very transaction."""
        ...

    @property
    def jobs(self) -> JobRows:
        """What founders asked for."""
        ...

    @property
    def sessions(self) -> SessionRows:
        """The agent's lives."""
        ...

    @property
    def conversation(self) -> ConversationRows:
        """Messages, tool calls, failures and the inbox."""
        ...

    @property
    def ledger(self) -> LedgerRows:
        """Plans, budget days, model calls and ledger entries."""
        ...

    @property
    def decisions(self) -> DecisionRows:
        """Escalations and their answers."""
        ...

    @property
    def work(self) -> WorkRows:
        """Phases and documents."""
        ...

    @property
    def events(self) -> EventRows:
        """The event log."""
        ...

    def emit(self, event: Event) -> None:
        """Write the event when the transaction commits; `seq` and `epoch` are given then."""
        ...


class CommitListener(Protocol):
    """Told of events after the commit that made them true, in the order of commits."""

    def committed(self, events: Sequence[StoredEvent]) -> None:
        """Take the events over at once; must neither block nor raise."""
        ...


class Store(Protocol):
    """The database."""

    def writing(self) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that commits when the block ends, or rolls back when it raises."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """A consistent view; nothing that is written in it is kept."""
        ...

    async def migrate(self) -> None:
        """Bring the schema up to date; safe when several processes start at once.

        Raises `StoreUnavailableError` when the database cannot be reached or opened.
        """
        ...

    async def close(self) -> None:
        """Give back the connections."""
        ...
