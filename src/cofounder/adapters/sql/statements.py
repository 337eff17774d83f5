"""Words of SQL that several row groups use. Statements are built once, when imported."""

from collections.abc import Collection

import sqlalchemy as sa


def by(column: sa.Column[object]) -> sa.ColumnElement[bool]:
    """`column = :by_column`.

    The prefix is needed in an UPDATE, where `:column` would be the new value.
    """
    return column == sa.bindparam(f"by_{column.name}")


def insert_if_absent(table: sa.Table) -> sa.TextClause:
    """Insert, or leave what is there; SQLAlchemy knows this for one database at a time."""
    return _insert(table, "DO NOTHING", [c for c in table.columns if c.name != "row_id"])


def insert_or_replace(table: sa.Table, key: Collection[str]) -> sa.TextClause:
    """Insert, or put the new values into the row with the same key."""
    columns = [column for column in table.columns if column.name != "row_id"]
    new = ", ".join(f"{c.name} = excluded.{c.name}" for c in columns if c.name not in key)
    return _insert(table, f"({', '.join(key)}) DO UPDATE SET {new}", columns)


def _insert(table: sa.Table, otherwise: str, columns: list[sa.Column[object]]) -> sa.TextClause:
    names = ", ".join(column.name for column in columns)
    values = ", ".join(f":{column.name}" for column in columns)
    text = f"INSERT INTO {table.name} ({names}) VALUES ({values}) ON CONFLICT {otherwise}"
    return sa.text(text).bindparams(*(sa.bindparam(c.name, type_=c.type) for c in columns))
