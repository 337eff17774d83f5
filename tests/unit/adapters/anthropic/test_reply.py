"""Events that no scripted provider sends."""

import json

import pytest

from cofounder.adapters.anthropic.failures import retry_after_s
from cofounder.adapters.anthropic.reply import ReplyBuilder
from cofounder.domain.errors import ModelCredentialsError, ModelStreamCutError
from cofounder.domain.money import Usage
from cofounder.domain.transcript import StopReason, TextBlock, ToolUseBlock

START: tuple[str, object] = (
    "message_start",
    {"message": {"usage": {"input_tokens": 7, "output_tokens": 1}}},
)
STOP: tuple[str, object] = ("message_stop", {})


def opening(index: int, **block: object) -> tuple[str, object]:
    return "content_block_start", {"index": index, "content_block": block}


def delta(index: int, **piece: object) -> tuple[str, object]:
    return "content_block_delta", {"index": index, "delta": piece}


def closing(index: int) -> tuple[str, object]:
    return "content_block_stop", {"index": index}


def ending(reason: str, **usage: int | None) -> tuple[str, object]:
    return "message_delta", {"delta": {"stop_reason": reason}, "usage": usage}


def fed(*events: tuple[str, object]) -> ReplyBuilder:
    builder = ReplyBuilder()
    for name, payload in events:
        builder.accept(name, json.dumps(payload))
    return builder


def call(json_text: str) -> list[tuple[str, object]]:
    return [
        opening(0, type="tool_use", id="a", name="bash", input={}),
        delta(0, type="input_json_delta", partial_json=json_text),
        closing(0),
    ]


def test_later_counts_replace_earlier_ones_and_absent_ones_do_not() -> None:
    builder = fed(START, ending("end_turn", output_tokens=9, input_tokens=None), STOP)
    assert builder.reply().usage == Usage(input_tokens=7, output_tokens=9)


def test_nothing_counted_is_no_usage() -> None:
    assert ReplyBuilder().usage is None


def test_a_tool_without_input_has_an_empty_one() -> None:
    events = [opening(0, type="tool_use", id="a", name="bash", input={}), closing(0)]
    (use,) = fed(START, *events, ending("tool_use"), STOP).reply().blocks
    assert isinstance(use, ToolUseBlock)
    assert use.input == {}


@pytest.mark.parametrize("broken", ['{"command": "rm -rf build', "[1]", '{"n": NaN}'])
def test_broken_tool_input_makes_the_reply_a_failure(broken: str) -> None:
    with pytest.raises(ModelStreamCutError) as caught:
        fed(START, *call(broken), ending("tool_use", output_tokens=5), STOP).reply()
    assert caught.value.usage == Usage(input_tokens=7, output_tokens=5)


def test_a_block_that_was_not_closed_is_not_in_the_reply() -> None:
    builder = fed(START, *call('{"a": 1}')[:2], ending("max_tokens"), STOP)
    assert builder.reply().blocks == ()


def test_thinking_without_its_signature_is_of_no_use() -> None:
    events = [opening(0, type="thinking", thinking="Hm", signature=""), closing(0)]
    assert fed(START, *events, ending("max_tokens"), STOP).reply().blocks == ()


def test_unknown_events_blocks_and_reasons_do_not_stop_a_reply() -> None:
    reply = fed(
        START,
        ("something_new", {"index": "x"}),
        opening(0, type="server_thing", more={}),
        closing(0),
        opening(1, type="text", text="Hi"),
        closing(1),
        ending("something_new"),
        STOP,
    ).reply()
    assert reply.blocks == (TextBlock(text="Hi"),)
    assert reply.stop_reason is StopReason.END_TURN


@pytest.mark.parametrize(
    ("name", "data"),
    [("message_start", "{"), ("content_block_delta", '{"index": 3, "delta": {}}')],
)
def test_an_event_that_cannot_be_read_is_a_cut(name: str, data: str) -> None:
    with pytest.raises(ModelStreamCutError, match=name):
        ReplyBuilder().accept(name, data)


def test_a_terminal_event_without_a_reason_is_a_cut() -> None:
    with pytest.raises(ModelStreamCutError):
        fed(START, STOP).reply()


def test_a_spending_limit_is_for_a_person_even_as_too_many_requests() -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    error = {"type": "rate_limit_error", "message": "Limit reached.", "details": details}
    with pytest.raises(ModelCredentialsError) as caught:
        fed(START, ("error", {"error": error}))
    assert caught.value.usage == Usage(input_tokens=7, output_tokens=64)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7200"}, 7200.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        (
            {
                "retry-after": "Wed, 21 Oct 2026 07:28:00 GMT",
                "date": "Wed, 21 Oct 2026 07:27:00 GMT",
            },
            60.0,
        ),
    ],
)
def test_the_wait_that_is_asked_for(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after_s(headers) == expected
