"""Two column types that mean the same on every database."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(sa.TypeDecorator[datetime]):
    """An aware instant, kept as whole microseconds since 1970, read back in UTC.

    Exact and sortable, unlike texts with an offset or a database's own rounding.
    A naive datetime is refused with a `TypeError`.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        """Microseconds since 1970."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        """The same instant, in UTC."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Prose(sa.TypeDecorator[str]):
    """Text from people, models and programs.

    PostgreSQL takes no NUL and neither database takes half a surrogate pair, but a
    program's output may hold both: such a character is kept as a replacement character.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The text, storable."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return (
            value.encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
            .replace("\0", "\N{REPLACEMENT CHARACTER}")
        )
