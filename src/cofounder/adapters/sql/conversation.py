"""Rows of the conversation: messages, tool calls, failed attempts and the inbox."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from cofounder.adapters.sql import codec
from cofounder.adapters.sql.connection import Connection, Row
from cofounder.adapters.sql.statements import by, insert_if_absent
from cofounder.adapters.sql.tables import failures, inbox, messages, tool_calls
from cofounder.domain.errors import NotFoundError
from cofounder.domain.failures import FailedAttempt
from cofounder.domain.ids import SessionId, ToolUseId
from cofounder.domain.transcript import Message, Role, ToolResultBlock, ToolUseBlock
from cofounder.ports.store import InboxItem, InboxKind, ToolCallRow, ToolStatus

_MESSAGES = (
    sa.select(messages.c.role, messages.c.blocks)
    .where(by(messages.c.session_id))
    .order_by(messages.c.position)
)
_APPEND = sa.insert(messages)

_PLAN_TOOLS = sa.insert(tool_calls)
_TOOLS = sa.select(
    tool_calls.c.tool_use_id, tool_calls.c.status, tool_calls.c.use, tool_calls.c.result
).where(
    by(tool_calls.c.session_id),
    tool_calls.c.tool_use_id.in_(sa.bindparam("ids", expanding=True)),
)
_CHANGE_TOOL = sa.update(tool_calls).where(
    by(tool_calls.c.session_id),
    by(tool_calls.c.tool_use_id),
    tool_calls.c.status != ToolStatus.DONE.value,
)
_RECENT_ACTIONS = (
    sa.select(tool_calls.c.action)
    .where(by(tool_calls.c.session_id), tool_calls.c.action.is_not(None))
    .order_by(tool_calls.c.row_id.desc())
    .limit(sa.bindparam("most"))
)

_ADD_FAILURE = sa.insert(failures)
_FAILURES = (
    sa.select(failures)
    .where(by(failures.c.session_id), by(failures.c.goal))
    .order_by(failures.c.row_id)
)
_FORGET_ALL = sa.delete(failures).where(by(failures.c.session_id))
_FORGET_GOAL = _FORGET_ALL.where(by(failures.c.goal))

_PUT = insert_if_absent(inbox)
_unread = (by(inbox.c.session_id), inbox.c.read_in.is_(None))
_TAKE = sa.update(inbox).where(*_unread).returning(inbox)


class SqlConversationRows:
    """Implements `ports.store.ConversationRows`."""

    def __init__(self, db: Connection) -> None:
        """Works inside the transaction of `db`."""
        self._db = db

    async def messages(self, session_id: SessionId) -> list[Message]:
        """The whole conversation, in order."""
        rows = await self._db.rows(_MESSAGES, by_session_id=session_id)
        return [
            Message(role=Role(row.role), blocks=codec.decode_blocks(row.blocks)) for row in rows
        ]

    async def append(self, session_id: SessionId, position: int, message: Message) -> None:
        """Add the message. `ConflictError` when there is one at `position`."""
        await self._db.change(
            _APPEND,
            session_id=session_id,
            position=position,
            role=message.role.value,
            blocks=codec.encode_blocks(message.blocks),
        )

    async def plan_tools(self, session_id: SessionId, uses: Sequence[ToolUseBlock]) -> None:
        """Keep the calls that the newest assistant message asks for."""
        if not uses:
            return
        rows = [
            {
                "session_id": session_id,
                "tool_use_id": use.id,
                "status": ToolStatus.PLANNED.value,
                "use": codec.encode_blocks([use]),
            }
            for use in uses
        ]
        await self._db.change_many(_PLAN_TOOLS, rows)

    async def tools(self, session_id: SessionId, ids: Sequence[ToolUseId]) -> Sequence[ToolCallRow]:
        """These calls, in the order of `ids`. `NotFoundError` for one that was not planned."""
        if not ids:
            return []
        rows = await self._db.rows(_TOOLS, by_session_id=session_id, ids=list(ids))
        known = {row.tool_use_id: row for row in rows}
        missing = [use_id for use_id in ids if use_id not in known]
        if missing:
            raise NotFoundError(f"No such tool calls: {', '.join(missing)}.")
        return [_tool_call(known[use_id]) for use_id in ids]

    async def start_tool(self, session_id: SessionId, use_id: ToolUseId, at: datetime) -> None:
        """Say that the call is about to have effects; a call that is done stays done."""
        await self._db.change(
            _CHANGE_TOOL,
            by_session_id=session_id,
            by_tool_use_id=use_id,
            status=ToolStatus.STARTED.value,
            started_at=at,
        )

    async def finish_tool(
        self, session_id: SessionId, result: ToolResultBlock, *, action: str, at: datetime
    ) -> None:
        """Keep the call's result; a call that is done keeps its first one."""
        await self._db.change(
            _CHANGE_TOOL,
            by_session_id=session_id,
            by_tool_use_id=result.tool_use_id,
            status=ToolStatus.DONE.value,
            result=codec.encode_blocks([result]),
            action=action,
            finished_at=at,
        )

    async def recent_actions(self, session_id: SessionId, *, limit: int) -> list[str]:
        """Fingerprints of the newest finished calls, oldest first."""
        rows = await self._db.rows(_RECENT_ACTIONS, by_session_id=session_id, most=limit)
        return [row.action for row in reversed(rows)]

    async def add_failure(self, session_id: SessionId, attempt: FailedAttempt) -> None:
        """Keep a failed attempt."""
        await self._db.change(_ADD_FAILURE, session_id=session_id, **vars(attempt))

    async def failures(self, session_id: SessionId, goal: str) -> Sequence[FailedAttempt]:
        """The failed attempts at `goal` that still count, oldest first."""
        rows = await self._db.rows(_FAILURES, by_session_id=session_id, by_goal=goal)
        return [_failure(row) for row in rows]

    async def forget_failures(self, session_id: SessionId, goal: str | None) -> None:
        """Count anew: for one goal after a success, for all (None) after an answer."""
        if goal is None:
            await self._db.change(_FORGET_ALL, by_session_id=session_id)
        else:
            await self._db.change(_FORGET_GOAL, by_session_id=session_id, by_goal=goal)

    async def put(self, session_id: SessionId, item: InboxItem, at: datetime) -> bool:
        """Add to the inbox; False when `source_id` was there before."""
        added = await self._db.change(
            _PUT,
            session_id=session_id,
            source_id=item.source_id,
            kind=item.kind.value,
            text=item.text,
            put_at=at,
            read_in=None,
        )
        return added == 1

    async def take(self, session_id: SessionId, position: int) -> Sequence[InboxItem]:
        """Everything unread, oldest first, marked as read in the message at `position`."""
        rows = await self._db.rows(_TAKE, by_session_id=session_id, read_in=position)
        return [_item(row) for row in sorted(rows, key=lambda row: row.row_id)]


def _tool_call(row: Row) -> ToolCallRow:
    (use,) = codec.decode_blocks(row.use)
    result = codec.decode_blocks(row.result)[0] if row.result else None
    assert isinstance(use, ToolUseBlock)
    assert result is None or isinstance(result, ToolResultBlock)
    return ToolCallRow(use=use, status=ToolStatus(row.status), result=result)


def _failure(row: Row) -> FailedAttempt:
    return FailedAttempt(
        goal=row.goal, strategy=row.strategy, approach=row.approach, result=row.result, at=row.at
    )


def _item(row: Row) -> InboxItem:
    return InboxItem(source_id=row.source_id, kind=InboxKind(row.kind), text=row.text)
