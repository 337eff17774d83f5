"""The real SDK against the strict provider, over loopback."""

import json

import pytest
from genai_prices import Usage as ListedUsage
from genai_prices import calc_price

from cofounder.domain.ids import ToolUseId
from cofounder.domain.money import Usage, micros_from_usd
from cofounder.domain.transcript import (
    Image,
    Message,
    RedactedThinkingBlock,
    Role,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from cofounder.testing.provider import ToolCall, Turn
from tests.integration.anthropic_stage import MODEL, START, ask, assistant, results, stage, user

pytestmark = pytest.mark.anyio

# One transparent pixel.
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


async def test_a_reply_with_text_thinking_and_tools_is_read_whole() -> None:
    call = ToolCall("read", {"path": "a/ä.txt", "lines": [1, 2.5, None], "deep": {"x": True}})
    turn = Turn(think="First I look. " * 40, redacted="hidden", say="Let me see. ✓", tools=(call,))
    async with stage([turn]) as on:
        reply = await on.model.complete(ask(START))
        thinking, redacted, text, use = reply.blocks
        assert isinstance(thinking, ThinkingBlock)
        assert thinking.thinking == "First I look. " * 40
        assert isinstance(redacted, RedactedThinkingBlock)
        assert text == TextBlock(text="Let me see. ✓")
        assert isinstance(use, ToolUseBlock)
        assert (use.name, use.input) == (call.name, call.input)
        assert reply.stop_reason is StopReason.TOOL_USE
        assert reply.provider_request_id == on.provider.bill[0].provider_request_id


async def test_thinking_comes_back_byte_for_byte_turn_after_turn() -> None:
    thoughts = ["One \t ünd zwei\n", "", 'Drei \\u00e9 "vier"']
    turns = [
        Turn(think=thought, redacted=f"secret {index}", tools=(ToolCall("read"),))
        for index, thought in enumerate(thoughts)
    ]
    async with stage([*turns, Turn(say="Done.")]) as on:
        history = [START]
        for _ in turns:
            reply = await on.model.complete(ask(*history))
            history += [assistant(reply), user(*results(reply))]
        last = await on.model.complete(ask(*history))
        assert last.blocks == (TextBlock(text="Done."),)
        assert on.provider.refusals == ()


async def test_usage_and_bill_agree_to_the_micro_dollar_with_the_cache_at_work() -> None:
    turns = [Turn(say="w" * 300, tools=(ToolCall("read", {"path": "p" * n}),)) for n in (9, 99)]
    async with stage([*turns, Turn(say="Done.")]) as on:
        history = [START]
        replies = []
        for _ in range(3):
            replies.append(await on.model.complete(ask(*history)))
            history += [assistant(replies[-1]), user(*results(replies[-1], "r" * 500))]
        bill = on.provider.bill
        assert [row.usage for row in bill] == [reply.usage for reply in replies]
        assert [row.amount_usd_micros for row in bill] == [listed(r.usage) for r in replies]
        assert [row.turn_index for row in bill] == [0, 1, 2]
        assert not any(row.cut for row in bill)
        first, *later = (reply.usage for reply in replies)
        assert first.cache_read_tokens == 0
        # Everything that was written is read by the next call.
        written = first.cache_write_tokens
        for usage in later:
            assert usage.cache_read_tokens == written
            assert usage.input_tokens == 0
            written += usage.cache_write_tokens


def listed(usage: Usage) -> int:
    counted = ListedUsage(
        input_tokens=usage.prompt_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        output_tokens=usage.output_tokens,
    )
    return micros_from_usd(calc_price(counted, MODEL, provider_id="anthropic").total_price)


async def test_user_messages_are_merged_with_the_results_in_front() -> None:
    turns = [Turn(tools=(ToolCall("read"), ToolCall("write"))), Turn(say="Done.")]
    async with stage(turns) as on:
        reply = await on.model.complete(ask(START))
        one, two = results(reply)
        history = (START, assistant(reply), user("A note.", one), user(two, "And another."))
        await on.model.complete(ask(*history))
        assert on.provider.refusals == ()
        sent = on.provider.views[-1].news
        assert [type(block) for block in sent[0].blocks] == [
            ToolResultBlock,
            ToolResultBlock,
            TextBlock,
            TextBlock,
        ]
        assert on.provider.views[-1].user_texts == ("A note.", "And another.")


async def test_what_the_provider_would_refuse_as_empty_is_filled_or_left_out() -> None:
    calling = Turn(think="Hm.", tools=(ToolCall("read"), ToolCall("read")))
    async with stage([calling, Turn(), Turn(), Turn(), Turn(say="Done.")]) as on:
        reply = await on.model.complete(ask(START))
        calls = [block.id for block in reply.blocks if isinstance(block, ToolUseBlock)]
        answers = (
            ToolResultBlock(tool_use_id=calls[0], text="", is_error=True),
            ToolResultBlock(tool_use_id=calls[1], text=" \n", image=Image(png_base64=PNG)),
        )
        empty = Message(role=Role.ASSISTANT, blocks=())
        blank = Message(role=Role.ASSISTANT, blocks=(TextBlock(text="  "),))
        only_thought = Message(role=Role.ASSISTANT, blocks=reply.blocks[:1])
        history = (START, assistant(reply), user(*answers), empty, user(), blank)
        last = await on.model.complete(ask(*history, user("Go on."), only_thought, user("And?")))
        assert last.blocks == (TextBlock(text="Done."),)
        assert on.provider.refusals == ()


async def test_half_a_surrogate_pair_does_not_stop_a_conversation() -> None:
    async with stage([Turn(say="Fine.")]) as on:
        await on.model.complete(ask(user("broken \ud83d output")))
        assert on.provider.views[0].first_text == "broken ? output"


REASONS = [reason for reason in StopReason if reason is not StopReason.TOOL_USE]


@pytest.mark.parametrize("reason", REASONS)
async def test_every_stop_reason(reason: StopReason) -> None:
    async with stage([Turn(say="So.", stop_reason=reason)]) as on:
        reply = await on.model.complete(ask(START))
        assert reply.stop_reason is reason
        assert reply.blocks == (TextBlock(text="So."),)


async def test_an_empty_reply() -> None:
    async with stage([Turn()]) as on:
        reply = await on.model.complete(ask(START))
        assert reply.blocks == ()
        assert reply.stop_reason is StopReason.END_TURN


async def test_a_tool_call_cut_at_the_token_limit_is_left_out() -> None:
    calls = (ToolCall("read", {"path": "a"}), ToolCall("write", {"path": "b" * 200}))
    turn = Turn(say="Two.", tools=calls, stop_reason=StopReason.MAX_TOKENS)
    async with stage([turn]) as on:
        reply = await on.model.complete(ask(START))
        assert reply.stop_reason is StopReason.MAX_TOKENS
        assert [type(block) for block in reply.blocks] == [TextBlock, ToolUseBlock]
        assert on.provider.bill[0].usage == reply.usage


async def test_a_reply_never_exceeds_the_tokens_that_were_asked_for() -> None:
    async with stage([Turn(say="w" * 4_000, tools=(ToolCall("read"),))]) as on:
        reply = await on.model.complete(ask(START, max_tokens=100))
        assert reply.blocks == (TextBlock(text="w" * 400),)
        assert reply.stop_reason is StopReason.MAX_TOKENS
        assert reply.usage.output_tokens == 100


async def test_a_large_tool_input_is_read_whole() -> None:
    content = json.dumps([f'line {n} "quoted" ü' for n in range(4_000)])
    async with stage([Turn(tools=(ToolCall("write", {"content": content}),))]) as on:
        reply = await on.model.complete(ask(START, max_tokens=100_000))
        (use,) = reply.blocks
        assert isinstance(use, ToolUseBlock)
        assert use.input == {"content": content}


async def test_connections_are_used_again() -> None:
    async with stage([Turn(say="Hello.")]) as on:
        for _ in range(3):
            await on.model.complete(ask(START))
        assert on.provider.connection_count == 1


async def test_the_prompt_is_measured_without_its_pictures_data() -> None:
    async with stage([Turn(say="Hello.")]) as on:
        plain = user(ToolResultBlock(tool_use_id=ToolUseId("a"), text="x" * 1_000))
        image = Image(png_base64=PNG + "A" * 400_000)
        seen = user(ToolResultBlock(tool_use_id=ToolUseId("a"), text="x" * 1_000, image=image))
        without = on.model.prompt_bytes(ask(plain))
        assert 1_000 < without < 2_000
        assert 0 < on.model.prompt_bytes(ask(seen)) - without < 25_000
        await on.model.complete(ask(START))
        row = on.provider.bill[0]
        assert row.usage.prompt_tokens * 4 <= on.model.prompt_bytes(ask(START))
