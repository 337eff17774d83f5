"""Tool calls and their results, and cutting long texts."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cofounder.domain.ids import ToolUseId
from cofounder.domain.transcript import (
    Block,
    Message,
    RedactedThinkingBlock,
    Role,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    paired,
    truncate_middle,
    unanswered,
)

Conversation = tuple[Message, ...]

texts = st.lists(st.builds(TextBlock, text=st.text(max_size=5)), max_size=2)
thoughts = st.lists(
    st.one_of(
        st.builds(ThinkingBlock, thinking=st.just("so"), signature=st.just("sig")),
        st.builds(RedactedThinkingBlock, data=st.just("opaque")),
    ),
    max_size=2,
)


def use(name: str) -> ToolUseBlock:
    return ToolUseBlock(id=ToolUseId(name), name="bash", input={"command": "ls"})


def result(name: str) -> ToolResultBlock:
    return ToolResultBlock(tool_use_id=ToolUseId(name), text="ok")


def said(*blocks: Block) -> Message:
    return Message(role=Role.ASSISTANT, blocks=blocks)


def told(*blocks: Block) -> Message:
    return Message(role=Role.USER, blocks=blocks)


TEXT = TextBlock(text="and now?")


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """Valid ones: each reply's calls are answered at the start of the next user message."""
    messages = [told(TEXT, *draw(texts))]
    for number in range(draw(st.integers(min_value=0, max_value=4))):
        names = [f"call_{number}_{n}" for n in range(draw(st.integers(0, 3)))]
        messages.append(said(*draw(thoughts), *draw(texts), *(use(name) for name in names)))
        messages.append(told(*(result(name) for name in names), *draw(texts)))
    if draw(st.booleans()):
        messages.append(said(*draw(texts)))
    return tuple(messages)


def results_of(conversation: Conversation) -> list[tuple[int, int]]:
    """Message and block index of every result."""
    return [
        (m, b)
        for m, message in enumerate(conversation)
        for b, block in enumerate(message.blocks)
        if isinstance(block, ToolResultBlock)
    ]


def with_blocks(conversation: Conversation, index: int, blocks: Sequence[Block]) -> Conversation:
    changed = replace(conversation[index], blocks=tuple(blocks))
    return (*conversation[:index], changed, *conversation[index + 1 :])


Mutilation = Callable[[Conversation, int, int], Conversation]


def drop(conversation: Conversation, m: int, b: int) -> Conversation:
    blocks = conversation[m].blocks
    return with_blocks(conversation, m, (*blocks[:b], *blocks[b + 1 :]))


def move_behind_text(conversation: Conversation, m: int, b: int) -> Conversation:
    moved = conversation[m].blocks[b]
    without = drop(conversation, m, b)
    return with_blocks(without, m, (*without[m].blocks, TEXT, moved))


def put_text_before(conversation: Conversation, m: int, b: int) -> Conversation:
    blocks = conversation[m].blocks
    return with_blocks(conversation, m, (*blocks[:b], TEXT, *blocks[b:]))


def duplicate(conversation: Conversation, m: int, b: int) -> Conversation:
    blocks = conversation[m].blocks
    return with_blocks(conversation, m, (*blocks[:b], blocks[b], *blocks[b:]))


def answer_another_call(conversation: Conversation, m: int, b: int) -> Conversation:
    blocks = conversation[m].blocks
    return with_blocks(conversation, m, (*blocks[:b], result("call_x"), *blocks[b + 1 :]))


def say_in_the_next_message(conversation: Conversation, m: int, b: int) -> Conversation:
    late = told(conversation[m].blocks[b])
    without = drop(conversation, m, b)
    return (*without[: m + 1], late, *without[m + 1 :])


def repeat_later(conversation: Conversation, m: int, b: int) -> Conversation:
    return (*conversation, told(conversation[m].blocks[b]))


def let_the_assistant_say_it(conversation: Conversation, m: int, b: int) -> Conversation:
    message = replace(conversation[m], role=Role.ASSISTANT)
    return (*conversation[:m], message, *conversation[m + 1 :])


def interpose_a_message(conversation: Conversation, m: int, b: int) -> Conversation:
    return (*conversation[:m], told(TEXT), *conversation[m:])


def forget_the_message(conversation: Conversation, m: int, b: int) -> Conversation:
    return (*conversation[:m], *conversation[m + 1 :])


def forget_the_call(conversation: Conversation, m: int, b: int) -> Conversation:
    return forget_the_message(conversation, m - 1, b)


def let_the_user_call(conversation: Conversation, m: int, b: int) -> Conversation:
    message = replace(conversation[m - 1], role=Role.USER)
    return (*conversation[: m - 1], message, *conversation[m:])


def stop_before_the_answer(conversation: Conversation, m: int, b: int) -> Conversation:
    return conversation[:m]


MUTILATIONS: tuple[Mutilation, ...] = (
    drop,
    move_behind_text,
    put_text_before,
    duplicate,
    answer_another_call,
    say_in_the_next_message,
    repeat_later,
    let_the_assistant_say_it,
    interpose_a_message,
    forget_the_message,
    forget_the_call,
    let_the_user_call,
    stop_before_the_answer,
)


@given(conversation=conversations())
def test_valid_conversations_are_paired(conversation: Conversation) -> None:
    assert paired(conversation)
    assert unanswered(conversation) == ()


@pytest.mark.parametrize("mutilate", MUTILATIONS)
@given(conversation=conversations(), data=st.data())
def test_a_single_mutilation_is_noticed(
    mutilate: Mutilation, conversation: Conversation, data: st.DataObject
) -> None:
    places = results_of(conversation)
    assume(places)
    m, b = data.draw(st.sampled_from(places))
    mutilated = mutilate(conversation, m, b)
    assert mutilated != conversation
    assert not paired(mutilated)


def test_results_keep_the_order_of_their_calls() -> None:
    assert paired([said(use("a"), use("b")), told(result("a"), result("b"), TEXT)])
    assert not paired([said(use("a"), use("b")), told(result("b"), result("a"), TEXT)])


def test_an_empty_conversation_owes_nothing() -> None:
    assert paired([])
    assert unanswered([]) == ()


@given(conversation=conversations(), count=st.integers(min_value=1, max_value=3))
def test_the_calls_of_the_last_reply_are_unanswered(conversation: Conversation, count: int) -> None:
    calls = tuple(use(f"open_{n}") for n in range(count))
    cut = (*conversation, said(TEXT, *calls))
    assert unanswered(cut) == calls
    assert not paired(cut)
    assert paired([*cut, told(*(result(call.id) for call in calls))])


def test_a_message_knows_its_calls_and_its_plain_text() -> None:
    thought = ThinkingBlock(thinking="hm", signature="sig")
    message = said(thought, TextBlock(text="one"), use("a"), TextBlock(text="two"), use("b"))
    assert message.tool_uses == (use("a"), use("b"))
    assert message.text == "one\ntwo"
    assert (said().tool_uses, said().text) == ((), "")


def test_stop_reasons_are_spelled_as_the_provider_does() -> None:
    assert {reason.value for reason in StopReason} == {
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
    }


@given(text=st.text(max_size=300), limit=st.integers(min_value=0, max_value=300))
@example(text="long", limit=0)
@example(text="long", limit=1)
@example(text="long", limit=3)
def test_truncation_keeps_head_and_tail_and_is_bounded(text: str, limit: int) -> None:
    cut = truncate_middle(text, limit=limit, note="all of it: out.txt")
    if len(text) <= limit:
        assert cut == text
        return
    half = limit // 2
    marker = f"\n[… {len(text) - 2 * half} characters left out; all of it: out.txt …]\n"
    assert cut[:half] == text[:half]
    assert cut[half : half + len(marker)] == marker
    assert cut[half + len(marker) :] == text[len(text) - half :]
    assert len(cut) <= limit + len(marker)
