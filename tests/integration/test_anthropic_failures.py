"""Everything that can go wrong with a model call, through the real SDK over loopback."""

import asyncio

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
from cofounder.domain.transcript import TextBlock
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
    Turn,
    Unauthorized401,
)
from tests.integration.anthropic_stage import START, ask, stage

pytestmark = pytest.mark.anyio

ANSWERS: list[tuple[Fault, type[ModelError], float | None]] = [
    (Status429(retry_after_s=7200), ModelRateLimitedError, 7200),
    (Status429(retry_after_s=90, as_http_date=True), ModelRateLimitedError, 90),
    (Status429(), ModelRateLimitedError, None),
    (Overloaded529(), ModelOverloadedError, None),
    (Overloaded529(retry_after_s=2.5), ModelOverloadedError, 2.5),
    (HttpFault(status=500, error_type="api_error"), ModelOverloadedError, None),
    (HttpFault(status=503, error_type="something_new"), ModelOverloadedError, None),
    (HttpFault(status=504, error_type="timeout_error"), ModelOverloadedError, None),
    (BadRequest400(), ModelRejectedError, None),
    (HttpFault(status=404, error_type="not_found_error"), ModelRejectedError, None),
    (HttpFault(status=413, error_type="request_too_large"), ModelRejectedError, None),
    (HttpFault(status=418, error_type="something_new"), ModelRejectedError, None),
    (Unauthorized401(), ModelCredentialsError, None),
    (HttpFault(status=403, error_type="permission_error"), ModelCredentialsError, None),
    (Billing402(), ModelCredentialsError, None),
    (
        BadRequest400(message="Your credit balance is too low to access the Anthropic API."),
        ModelCredentialsError,
        None,
    ),
]


@pytest.mark.parametrize(("fault", "kind", "retry_after_s"), ANSWERS)
async def test_error_answers(
    fault: Fault, kind: type[ModelError], retry_after_s: float | None
) -> None:
    async with stage([Turn(say="Hello.", faults=(fault,))]) as on:
        with pytest.raises(ModelError) as caught:
            await on.model.complete(ask(START))
        assert type(caught.value) is kind
        assert caught.value.retry_after_s == retry_after_s
        assert caught.value.usage is None
        assert on.provider.bill == ()
        # The SDK made one attempt only, and the next one succeeds.
        assert len(on.provider.requests) == 1
        assert (await on.model.complete(ask(START))).blocks == (TextBlock(text="Hello."),)


# Start, ping, opening, 24 deltas, closing, message_delta, message_stop.
EVENTS = 30
SAY = "A sentence of some length, to be sent in several pieces. " * 10

BREAKS: list[tuple[Fault, type[ModelError]]] = [
    (Cut(after_events=1), ModelStreamCutError),
    (Cut(after_events=5), ModelStreamCutError),
    (SilentEnd(after_events=5), ModelStreamCutError),
    (SilentEnd(after_events=EVENTS - 1), ModelStreamCutError),
    (Hang(after_events=5), ModelStreamCutError),
    (InStreamError(after_events=5), ModelOverloadedError),
    (InStreamError(after_events=5, error_type="api_error"), ModelOverloadedError),
    (InStreamError(after_events=5, error_type="something_new"), ModelOverloadedError),
    (InStreamError(after_events=5, error_type="rate_limit_error"), ModelRateLimitedError),
]


@pytest.mark.parametrize(("fault", "kind"), BREAKS)
async def test_streams_that_break(fault: Fault, kind: type[ModelError]) -> None:
    async with stage([Turn(say=SAY, faults=(fault,))], idle_limit_s=0.3) as on:
        with pytest.raises(ModelError) as caught:
            await on.model.complete(ask(START))
        assert type(caught.value) is kind
        counted = caught.value.usage
        assert counted is not None
        (row,) = on.provider.bill
        assert row.cut
        assert counted.prompt_tokens == row.usage.prompt_tokens > 0
        # What was counted is exact, but for the output, which is a lower bound.
        # The provider's own count is a placeholder until the end: ours covers the bill.
        assert row.usage.output_tokens <= counted.output_tokens <= 200
        again = await on.model.complete(ask(START))
        assert again.blocks == (TextBlock(text=SAY),)
        assert not on.provider.bill[-1].cut


async def test_nothing_at_all_is_a_cut_without_usage() -> None:
    async with stage([Turn(say=SAY, faults=(Cut(after_events=0),))]) as on:
        with pytest.raises(ModelStreamCutError) as caught:
            await on.model.complete(ask(START))
        assert caught.value.usage is None


async def test_a_provider_that_is_not_there_costs_nothing() -> None:
    async with StrictProvider([]) as provider:
        gone = provider.base_url
    model = AnthropicModel(api_key="test-key", base_url=gone)
    with pytest.raises(ModelOverloadedError, match="cannot be reached") as caught:
        await model.complete(ask(START))
    assert caught.value.usage is None
    await model.close()


async def test_no_key_is_for_a_person_to_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    async with StrictProvider([Turn(say="Hello.")]) as provider:
        model = AnthropicModel(base_url=provider.base_url)
        with pytest.raises(ModelCredentialsError):
            await model.complete(ask(START))
        assert provider.refusals == ()
        await model.close()


async def test_a_first_byte_that_does_not_come_is_given_up() -> None:
    async with stage([Turn(say="Late.", faults=(Slow(seconds=60),))], idle_limit_s=0.2) as on:
        with pytest.raises(ModelStreamCutError, match=r"nothing came for 0\.2 s"):
            await on.model.complete(ask(START))


async def test_a_slow_stream_lives_as_long_as_events_come() -> None:
    turn = Turn(say="w" * 300, chunk_delay_s=0.05)
    async with stage([turn], idle_limit_s=0.5) as on:
        reply = await on.model.complete(ask(START))
        assert reply.blocks == (TextBlock(text="w" * 300),)
        assert on.provider.bill[0].usage == reply.usage


@pytest.mark.parametrize("fault", [Slow(seconds=60), Hang(after_events=4)])
async def test_cancelling_passes_through_and_hangs_up(fault: Fault) -> None:
    async with stage([Turn(say=SAY, faults=(fault,))]) as on, asyncio.timeout(10):
        call = asyncio.ensure_future(on.model.complete(ask(START)))
        await on.provider.until(lambda: len(on.provider.requests) == 1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await on.provider.until(lambda: on.provider.connection_count == 0)
