"""Rows of sessions: the columns are the fields of `domain.session.Session`."""

from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by
from cofounder.adapters.sql.tables import sessions
from cofounder.domain.errors import NotFoundError
from cofounder.domain.ids import OwnerId, SessionId
from cofounder.domain.session import Session, SessionState

_ADD = sa.insert(sessions)
_SAVE = sa.update(sessions).where(by(sessions.c.session_id))
_GET = sa.select(sessions).where(by(sessions.c.session_id))
_IN_STATES = sa.select(sessions).where(sessions.c.state.in_(sa.bindparam("states", expanding=True)))
_OF_OWNER = _IN_STATES.where(by(sessions.c.owner_id)).order_by(sessions.c.session_id)
# On SQLite these are plain reads: the whole file is locked. Without the key's own lock,
# as others may go on to write rows that only refer to the session.
_LOCK = _GET.with_for_update(key_share=True)
_LOCK_OF_OWNER = _OF_OWNER.with_for_update(key_share=True)


class SqlSessionRows:
    """Implements `ports.store.SessionRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`; remembers the rows that it has locked."""
        self._db = db
        self._locked: dict[str, Mapping[str, object]] = {}

    async def add(self, session: Session) -> None:
        """Keep a new session."""
        await self._db.change(_ADD, **_values(session))

    async def get(self, session_id: SessionId) -> Session | None:
        """One session, not locked."""
        row = await self._db.row(_GET, by_session_id=session_id)
        return _session(row) if row else None

    async def lock(self, session_id: SessionId) -> Session | None:
        """One session, held until the transaction ends."""
        row = await self._db.row(_LOCK, by_session_id=session_id)
        return self._hold(row) if row else None

    async def save(self, session: Session) -> None:
        """Replace the row of a session that this transaction has locked.

        Only what differs is written: SQLite would write the index of a column again even
        if the value stays the same.
        """
        values, locked = _values(session), self._locked.get(session.session_id, {})
        new = {name: v for name, v in values.items() if name not in locked or locked[name] != v}
        if new and not await self._db.change(_SAVE, by_session_id=session.session_id, **new):
            raise NotFoundError(f"There is no session {session.session_id}.")
        self._locked[session.session_id] = values

    async def lock_of_owner(
        self, owner_id: OwnerId, states: Collection[SessionState]
    ) -> Sequence[Session]:
        """The owner's sessions in these states, locked, ordered by id."""
        rows = await self._db.rows(
            _LOCK_OF_OWNER, by_owner_id=owner_id, states=[state.value for state in states]
        )
        return [self._hold(row) for row in rows]

    async def in_states(self, states: Collection[SessionState]) -> Sequence[Session]:
        """Everybody's sessions in these states, not locked."""
        rows = await self._db.rows(_IN_STATES, states=[state.value for state in states])
        return [_session(row) for row in rows]

    def _hold(self, row: Row) -> Session:
        self._locked[row.session_id] = row._asdict()
        return _session(row)


def _values(session: Session) -> dict[str, object]:
    return {**vars(session), "state": session.state.value}


def _session(row: Row) -> Session:
    return Session(**{**row._mapping, "state": SessionState(row.state)})
