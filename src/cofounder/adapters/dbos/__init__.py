"""The durable queue of turns on DBOS Transact: SQLite embedded, PostgreSQL at scale."""

from cofounder.adapters.dbos.engine import DbosEngine

__all__ = ["DbosEngine"]
