"""What every `ports.model.Model` does: the shipped fake and the real SDK, from one script."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from cofounder.adapters.anthropic import AnthropicModel
from cofounder.domain.errors import (
    ModelCredentialsError,
    ModelError,
    ModelOverloadedError,
    ModelRateLimitedError,
    ModelRejectedError,
    ModelStreamCutError,
)
from cofounder.domain.transcript import (
    Message,
    RedactedThinkingBlock,
    Role,
    StopReason,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)
from cofounder.ports.model import Model, ModelReply, ModelRequest, ToolSpec
from cofounder.testing.provider import (
    BadRequest400,
    Billing402,
    Cut,
    Fault,
    Hang,
    HttpFault,
    InStreamError,
    Overloaded529,
    SilentEnd,
    Slow,
    Status429,
    StrictProvider,
    ToolCall,
    Turn,
    Unauthorized401,
)
from cofounder.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.anyio

Staging: TypeAlias = Callable[[Sequence[Turn]], Awaitable[Model]]

READ = ToolSpec(name="read", description="Reads.", input_schema={"type": "object"})
START = Message(role=Role.USER, blocks=(TextBlock(text="Build a bakery site."),))


def ask(*messages: Message, max_tokens: int = 1_000) -> ModelRequest:
    return ModelRequest(
        model="claude-sonnet-5",
        system="You build.",
        tools=(READ,),
        messages=messages,
        max_tokens=max_tokens,
    )


def after(reply: ModelReply, text: str = "ok") -> tuple[Message, ...]:
    calls = (block for block in reply.blocks if isinstance(block, ToolUseBlock))
    answers = tuple(ToolResultBlock(tool_use_id=call.id, text=text) for call in calls)
    said = Message(role=Role.ASSISTANT, blocks=reply.blocks)
    return START, said, Message(role=Role.USER, blocks=answers)


@pytest.fixture(params=["scripted", "anthropic"])
async def staging(request: pytest.FixtureRequest) -> AsyncIterator[Staging]:
    async with AsyncExitStack() as stack:

        async def stage(turns: Sequence[Turn]) -> Model:
            if request.param == "scripted":
                return ScriptedModel(turns)
            provider = await stack.enter_async_context(StrictProvider(turns))
            model = AnthropicModel(
                api_key=provider.api_key, base_url=provider.base_url, idle_limit_s=0.5
            )
            stack.push_async_callback(model.close)
            return model

        yield stage


async def test_a_reply_holds_what_the_model_said(staging: Staging) -> None:
    turn = Turn(think="Hm.", redacted="s", say="So.", tools=(ToolCall("read", {"path": "ü"}),))
    reply = await (await staging([turn])).complete(ask(START))
    kinds = [type(block) for block in reply.blocks]
    assert kinds == [ThinkingBlock, RedactedThinkingBlock, TextBlock, ToolUseBlock]
    use = reply.blocks[-1]
    assert isinstance(use, ToolUseBlock)
    assert (use.name, use.input) == ("read", {"path": "ü"})
    assert reply.stop_reason is StopReason.TOOL_USE
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.output_tokens > 0
    assert reply.provider_request_id


async def test_a_conversation_goes_on_in_order(staging: Staging) -> None:
    model = await staging([Turn(think="Hm.", tools=(ToolCall("read"),)), Turn(say="Done.")])
    first = await model.complete(ask(START))
    last = await model.complete(ask(*after(first)))
    assert last.blocks == (TextBlock(text="Done."),)
    assert last.stop_reason is StopReason.END_TURN
    assert last.usage.prompt_tokens > first.usage.prompt_tokens


async def test_the_same_request_gets_the_same_reply(staging: Staging) -> None:
    model = await staging([Turn(think="Hm.", tools=(ToolCall("read"), ToolCall("read")))])
    one, two = [await model.complete(ask(START)) for _ in range(2)]
    assert one.blocks == two.blocks
    ids = [block.id for block in one.blocks if isinstance(block, ToolUseBlock)]
    assert len(set(ids)) == 2
    assert one.provider_request_id != two.provider_request_id


async def test_an_unanswered_call_is_rejected(staging: Staging) -> None:
    model = await staging([Turn(tools=(ToolCall("read"),)), Turn(say="Done.")])
    history = after(await model.complete(ask(START)))
    dangling = (*history[:2], Message(role=Role.USER, blocks=(TextBlock(text="Well?"),)))
    with pytest.raises(ModelRejectedError):
        await model.complete(ask(*dangling))


async def test_the_end_of_the_script_is_a_rejection(staging: Staging) -> None:
    with pytest.raises(ModelRejectedError, match="the script has 0 turns"):
        await (await staging([])).complete(ask(START))


@pytest.mark.parametrize("reason", list(StopReason))
async def test_every_stop_reason(staging: Staging, reason: StopReason) -> None:
    reply = await (await staging([Turn(say="So.", stop_reason=reason)])).complete(ask(START))
    assert reply.stop_reason is reason


async def test_an_empty_reply(staging: Staging) -> None:
    assert (await (await staging([Turn()])).complete(ask(START))).blocks == ()


async def test_a_reply_ends_at_its_token_limit(staging: Staging) -> None:
    turn = Turn(say="w" * 40, tools=(ToolCall("read", {"path": "p" * 400}),))
    reply = await (await staging([turn])).complete(ask(START, max_tokens=20))
    assert reply.stop_reason is StopReason.MAX_TOKENS
    assert reply.blocks == (TextBlock(text="w" * 40),)
    assert reply.usage.output_tokens == 20


FAILURES: list[tuple[Fault, type[ModelError], float | None, bool]] = [
    (Status429(retry_after_s=30), ModelRateLimitedError, 30, False),
    (Overloaded529(retry_after_s=4), ModelOverloadedError, 4, False),
    (HttpFault(status=500, error_type="api_error"), ModelOverloadedError, None, False),
    (BadRequest400(), ModelRejectedError, None, False),
    (Unauthorized401(), ModelCredentialsError, None, False),
    (HttpFault(status=403, error_type="permission_error"), ModelCredentialsError, None, False),
    (Billing402(), ModelCredentialsError, None, False),
    (InStreamError(), ModelOverloadedError, None, True),
    (InStreamError(error_type="rate_limit_error"), ModelRateLimitedError, None, True),
    (Cut(), ModelStreamCutError, None, True),
    (SilentEnd(), ModelStreamCutError, None, True),
    (Hang(), ModelStreamCutError, None, True),
]


@pytest.mark.parametrize(("fault", "kind", "retry_after_s", "counted"), FAILURES)
async def test_a_failure_has_its_type_and_the_next_attempt_succeeds(
    staging: Staging,
    fault: Fault,
    kind: type[ModelError],
    retry_after_s: float | None,
    counted: bool,  # noqa: FBT001  # pytest hands parameters over by name
) -> None:
    model = await staging([Turn(say="Hello.", faults=(fault,))])
    with pytest.raises(ModelError) as caught:
        await model.complete(ask(START))
    assert type(caught.value) is kind
    assert caught.value.retry_after_s == retry_after_s
    assert (caught.value.usage is not None) is counted
    if caught.value.usage is not None:
        assert caught.value.usage.prompt_tokens > 0
        assert caught.value.usage.output_tokens >= 1
    assert (await model.complete(ask(START))).blocks == (TextBlock(text="Hello."),)


async def test_a_slow_reply_is_a_reply(staging: Staging) -> None:
    model = await staging([Turn(say="Hello.", delay_s=0.01, faults=(Slow(seconds=0.01),))])
    assert (await model.complete(ask(START))).blocks == (TextBlock(text="Hello."),)


async def test_the_prompts_length_grows_with_its_text(staging: Staging) -> None:
    model = await staging([])
    short, longer = ask(START), ask(START, Message(role=Role.USER, blocks=(TextBlock(text="€"),)))
    assert model.prompt_bytes(short) >= len("You build.Build a bakery site.")
    assert model.prompt_bytes(longer) >= model.prompt_bytes(short) + 3


async def test_closing_twice_is_no_error(staging: Staging) -> None:
    model = await staging([])
    await model.close()
    await model.close()
