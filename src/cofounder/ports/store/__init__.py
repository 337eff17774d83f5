"""Durable truth: one transaction a use case, groups of rows by what they are about.

Locks are taken in one order everywhere, so that no two transactions wait for each other:
sessions (by id), then the budget day, then everything else, the job's event log last.
"""

from cofounder.ports.store.conversation import (
    ConversationRows,
    InboxItem,
    InboxKind,
    ToolCallRow,
    ToolStatus,
)
from cofounder.ports.store.decisions import DecisionRows
from cofounder.ports.store.jobs import JobRows, SessionRows
from cofounder.ports.store.ledger import EntryKind, LedgerEntry, LedgerRows, ModelCallRow
from cofounder.ports.store.transaction import CommitListener, Store, Transaction
from cofounder.ports.store.work import DocumentRow, EventRows, LogHead, StoredEvent, WorkRows

__all__ = [
    "CommitListener",
    "ConversationRows",
    "DecisionRows",
    "DocumentRow",
    "EntryKind",
    "EventRows",
    "InboxItem",
    "InboxKind",
    "JobRows",
    "LedgerEntry",
    "LedgerRows",
    "LogHead",
    "ModelCallRow",
    "SessionRows",
    "Store",
    "StoredEvent",
    "ToolCallRow",
    "ToolStatus",
    "Transaction",
    "WorkRows",
]
