"""The store on SQLite (one machine) or PostgreSQL (many), by SQLAlchemy Core."""

from cofounder.adapters.sql.store import SqlStore

__all__ = ["SqlStore"]
