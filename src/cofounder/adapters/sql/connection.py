"""What rows need of a connection, and how driver errors become the project's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy import event

from cofounder.domain.errors import ConflictError, StoreUnavailableError

# A file that is no database is a plain `DatabaseError`, whose other kinds are our own bugs.
_FAILURES = (sa.exc.OperationalError, sa.exc.InterfaceError)

Row: TypeAlias = sa.Row[*tuple[object, ...]]
T = TypeVar("T")


class Connection(Protocol):
    """One transaction's connection. Values are named as the statement's parameters."""

    async def rows(self, statement: sa.Executable, /, **values: object) -> Sequence[Row]:
        """All rows of the result."""
        ...

    async def row(self, statement: sa.Executable, /, **values: object) -> Row | None:
        """The first row of the result."""
        ...

    async def change(self, statement: sa.Executable, /, **values: object) -> int:
        """How many rows were written."""
        ...

    async def change_many(
        self, statement: sa.Executable, values: Sequence[Mapping[str, object]]
    ) -> None:
        """The statement once for each of `values`."""
        ...

    async def run_sync(self, work: Callable[[sa.Connection], T]) -> T:
        """Hand the plain SQLAlchemy connection to `work`, inside this transaction."""
        ...


class WritingConnection(Connection, Protocol):
    """A connection whose transaction can be kept."""

    async def commit(self) -> asyncio.CancelledError | None:
        """Commit, to the end, whatever happens; see `to_the_end`."""
        ...


async def to_the_end(future: "asyncio.Future[T]") -> asyncio.CancelledError | None:
    """Wait for what must not be left half done.

    Raises what the future raises. Returns the cancellation that came meanwhile, for the
    caller to raise when all is in order again.
    """
    interruption = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as error:
            interruption = error
    future.result()
    return interruption


def translate_errors(engine: sa.Engine, url: sa.URL) -> None:
    """Raise domain errors instead of the driver's, which become their cause."""
    place = url.set(password=None).render_as_string()

    @event.listens_for(engine, "handle_error")
    def translate(context: sa.ExceptionContext) -> BaseException | None:
        error = context.sqlalchemy_exception
        if context.is_pre_ping:
            return None
        if isinstance(error, sa.exc.IntegrityError):
            return ConflictError("This was stored before, or what it belongs to is missing.")
        if isinstance(error, _FAILURES) or type(error) is sa.exc.DatabaseError:
            return unavailable(place, _reason(error, url))
        return None


def unavailable(place: str, reason: str) -> StoreUnavailableError:
    """The error that names the database, without its password."""
    return StoreUnavailableError(
        f"The database {place} cannot be used: {reason}.",
        cure="See that it is there and may be written, or set COFOUNDER_DATABASE_URL to another.",
    )


def _reason(error: sa.exc.DBAPIError, url: sa.URL) -> str:
    reason = " ".join(str(error.orig).split()).rstrip(".")
    return reason.replace(url.password, "***") if url.password else reason
