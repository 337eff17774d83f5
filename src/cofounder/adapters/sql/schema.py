"""Brings the schema up to date with the migrations that are shipped in `migrations/`."""

from pathlib import Path

import sqlalchemy as sa

from cofounder.adapters.sql.tables import PREFIX
from cofounder.domain.errors import ConfigurationError

# The newest migration. Known without alembic, whose import takes a second.
HEAD = "0001"
VERSION_TABLE = f"{PREFIX}schema_version"

_VERSION = sa.select(sa.column("version_num", sa.Text)).select_from(sa.table(VERSION_TABLE))


def is_current(connection: sa.Connection) -> bool:
    """Whether there is nothing to do."""
    return (
        sa.inspect(connection).has_table(VERSION_TABLE)
        and connection.execute(_VERSION).scalar() == HEAD
    )


def upgrade(connection: sa.Connection) -> None:
    """Run what is missing, in the caller's transaction and under the caller's lock.

    Raises `ConfigurationError` for a database that a later version has written.
    """
    # Slow to import, and needed after an update only.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # A percent sign would begin an interpolation.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            "The database was written by a later version of Cofounder.",
            cure="Install that version again, or restore a backup.",
        ) from error
