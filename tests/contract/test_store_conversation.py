from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from cofounder.adapters.sql import SqlStore
from cofounder.domain.errors import ConflictError, NotFoundError
from cofounder.domain.failures import FailedAttempt
from cofounder.domain.ids import SessionId, ToolUseId
from cofounder.domain.transcript import (
    Image,
    Message,
    RedactedThinkingBlock,
    Role,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
)
from cofounder.ports.store import InboxItem, InboxKind, ToolCallRow, ToolStatus
from tests.contract.store_samples import (
    NOW,
    ODD_TEXT,
    ODD_TEXT_AS_KEPT,
    SESSION_ID,
    a_message,
    a_session,
    a_use,
    add_job,
)

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
async def _session(store: SqlStore) -> None:
    await add_job(store)


def a_result(number: int = 0, text: str = "done") -> ToolResultBlock:
    return ToolResultBlock(tool_use_id=a_use(number).id, text=text)


async def test_every_block_comes_back_to_the_letter(store: SqlStore) -> None:
    messages = [
        Message(
            role=Role.ASSISTANT,
            blocks=(
                ThinkingBlock(thinking=ODD_TEXT, signature="Ep4B+/=="),
                RedactedThinkingBlock(data="EmwKAhgBEgy3va3pzix"),
                TextBlock(text=ODD_TEXT),
                a_use(),
            ),
        ),
        Message(
            role=Role.USER,
            blocks=(
                ToolResultBlock(
                    tool_use_id=a_use().id,
                    text=ODD_TEXT,
                    is_error=True,
                    image=Image(png_base64="iVBORw0KGgo="),
                ),
                a_result(1),
                TextBlock(text=""),
            ),
        ),
        Message(role=Role.ASSISTANT, blocks=()),
    ]
    async with store.writing() as tx:
        for position, message in enumerate(messages):
            await tx.conversation.append(SESSION_ID, position, message)
    async with store.reading() as tx:
        assert await tx.conversation.messages(SESSION_ID) == messages
        assert await tx.conversation.messages(SessionId("ses_unknown")) == []


async def test_a_message_is_never_replaced(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.conversation.append(SESSION_ID, 0, a_message("first"))
    with pytest.raises(ConflictError):
        async with store.writing() as tx:
            await tx.conversation.append(SESSION_ID, 0, a_message("second"))
    async with store.reading() as tx:
        assert await tx.conversation.messages(SESSION_ID) == [a_message("first")]


async def test_a_tool_call_is_planned_started_and_done(store: SqlStore) -> None:
    uses = [a_use(2), a_use(1)]
    async with store.writing() as tx:
        await tx.conversation.plan_tools(SESSION_ID, uses)
        await tx.conversation.plan_tools(SESSION_ID, [])
        await tx.conversation.start_tool(SESSION_ID, uses[0].id, NOW)
        await tx.conversation.finish_tool(SESSION_ID, a_result(1), action="act", at=NOW)
    async with store.reading() as tx:
        assert await tx.conversation.tools(SESSION_ID, [use.id for use in uses]) == [
            ToolCallRow(use=uses[0], status=ToolStatus.STARTED, result=None),
            ToolCallRow(use=uses[1], status=ToolStatus.DONE, result=a_result(1)),
        ]
        assert await tx.conversation.tools(SESSION_ID, []) == []


async def test_a_tool_call_that_is_done_stays_as_it_is(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.conversation.plan_tools(SESSION_ID, [a_use()])
        await tx.conversation.finish_tool(SESSION_ID, a_result(), action="one", at=NOW)
        await tx.conversation.finish_tool(SESSION_ID, a_result(text="no"), action="two", at=NOW)
        await tx.conversation.start_tool(SESSION_ID, a_use().id, NOW)
    async with store.reading() as tx:
        (call,) = await tx.conversation.tools(SESSION_ID, [a_use().id])
        assert call == ToolCallRow(use=a_use(), status=ToolStatus.DONE, result=a_result())
        assert await tx.conversation.recent_actions(SESSION_ID, limit=5) == ["one"]


async def test_a_tool_call_that_was_never_planned_is_not_left_out(store: SqlStore) -> None:
    async with store.reading() as tx:
        with pytest.raises(NotFoundError, match="toolu_unknown"):
            await tx.conversation.tools(SESSION_ID, [ToolUseId("toolu_unknown")])


async def test_recent_actions_are_those_of_the_newest_finished_calls(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.conversation.plan_tools(SESSION_ID, [a_use(n) for n in range(6)])
        for number in range(5):
            await tx.conversation.finish_tool(
                SESSION_ID, a_result(number), action=f"act {number}", at=NOW
            )
    async with store.reading() as tx:
        recent = await tx.conversation.recent_actions(SESSION_ID, limit=3)
        assert recent == ["act 2", "act 3", "act 4"]


def a_failure(strategy: str, goal: str = "tests pass") -> FailedAttempt:
    return FailedAttempt(
        goal=goal, strategy=strategy, approach=f"by {strategy}", result=ODD_TEXT, at=NOW
    )


def as_kept(*attempts: FailedAttempt) -> list[FailedAttempt]:
    return [replace(attempt, result=ODD_TEXT_AS_KEPT) for attempt in attempts]


async def test_failures_count_by_goal_until_they_are_forgotten(store: SqlStore) -> None:
    first, second, other = a_failure("one"), a_failure("two"), a_failure("one", goal="a server")
    async with store.writing() as tx:
        for attempt in (first, other, second):
            await tx.conversation.add_failure(SESSION_ID, attempt)
    async with store.writing() as tx:
        failures = tx.conversation.failures
        assert await failures(SESSION_ID, "tests pass") == as_kept(first, second)
        assert await failures(SESSION_ID, "a server") == as_kept(other)
        await tx.conversation.forget_failures(SESSION_ID, "tests pass")
        assert await failures(SESSION_ID, "tests pass") == []
        assert await failures(SESSION_ID, "a server") == as_kept(other)
        await tx.conversation.forget_failures(SESSION_ID, None)
        assert await failures(SESSION_ID, "a server") == []


def an_item(number: int) -> InboxItem:
    return InboxItem(source_id=f"src_{number}", kind=InboxKind.MESSAGE, text=f"news {number}")


async def test_an_inbox_item_is_read_once(store: SqlStore) -> None:
    async with store.writing() as tx:
        for number in (2, 1):
            at = NOW - timedelta(days=number)
            assert await tx.conversation.put(SESSION_ID, an_item(number), at)
    async with store.writing() as tx:
        assert await tx.conversation.take(SESSION_ID, 3) == [an_item(2), an_item(1)]
        assert await tx.conversation.take(SESSION_ID, 3) == []
    async with store.writing() as tx:
        assert not await tx.conversation.put(SESSION_ID, an_item(1), NOW)
        assert await tx.conversation.put(SESSION_ID, an_item(3), NOW)
        assert await tx.conversation.take(SESSION_ID, 5) == [an_item(3)]


async def test_what_was_taken_in_vain_is_unread_again(store: SqlStore) -> None:
    async with store.writing() as tx:
        await tx.conversation.put(SESSION_ID, an_item(1), NOW)
    with suppress(LookupError):
        async with store.writing() as tx:
            await tx.conversation.take(SESSION_ID, 3)
            raise LookupError
    async with store.writing() as tx:
        assert await tx.conversation.take(SESSION_ID, 3) == [an_item(1)]


async def test_each_session_has_its_own_inbox_and_calls(store: SqlStore) -> None:
    await add_job(store, 1)
    other = a_session(1).session_id
    async with store.writing() as tx:
        for session_id in (SESSION_ID, other):
            assert await tx.conversation.put(session_id, an_item(1), NOW)
            await tx.conversation.plan_tools(session_id, [a_use()])
        await tx.conversation.take(other, 1)
        await tx.conversation.finish_tool(other, a_result(), action="act", at=NOW)
        assert await tx.conversation.take(SESSION_ID, 1) == [an_item(1)]
        assert await tx.conversation.recent_actions(SESSION_ID, limit=1) == []
