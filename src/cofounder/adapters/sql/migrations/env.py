"""Run by alembic: applies migrations on the connection that `schema.upgrade` hands over."""

from alembic import context

from cofounder.adapters.sql.schema import VERSION_TABLE
from cofounder.adapters.sql.tables import PREFIX, metadata


def _is_ours(name: str | None, kind: str, parents: object) -> bool:
    """The durable engine keeps tables in the same database; they are its own affair."""
    return kind != "table" or (name is not None and name.startswith(PREFIX))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    include_name=_is_ours,
)
context.run_migrations()
