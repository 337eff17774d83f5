"""All rows over one connection."""

from cofounder.adapters.sql.connection import Connection
from cofounder.adapters.sql.conversation import SqlConversationRows
from cofounder.adapters.sql.decisions import SqlDecisionRows
from cofounder.adapters.sql.events import SqlEventRows
from cofounder.adapters.sql.jobs import SqlJobRows
from cofounder.adapters.sql.ledger import SqlLedgerRows
from cofounder.adapters.sql.outbox import Outbox
from cofounder.adapters.sql.sessions import SqlSessionRows
from cofounder.adapters.sql.work import SqlWorkRows
from cofounder.domain.events import Event


class SqlTransaction:
    """Implements `ports.store.Transaction`.

    `connection` offers `await connection.run_sync(work)`, which calls `work` with the plain
    SQLAlchemy connection of this transaction.
    """

    def __init__(self, connection: Connection) -> None:
        """The store begins and ends the transaction."""
        self.connection = connection
        self.outbox = Outbox()
        self.jobs = SqlJobRows(connection)
        self.sessions = SqlSessionRows(connection)
        self.conversation = SqlConversationRows(connection)
        self.ledger = SqlLedgerRows(connection)
        self.decisions = SqlDecisionRows(connection)
        self.work = SqlWorkRows(connection)
        self.events = SqlEventRows(connection)

    def emit(self, event: Event) -> None:
        """Write the event when the transaction commits."""
        self.outbox.emit(event)
