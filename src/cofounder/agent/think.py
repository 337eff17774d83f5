"""One model call: reserve, call, settle; again after a failure that passes."""

import math
from dataclasses import replace
from datetime import timedelta

from cofounder.agent.journal import STOP_OPTION, CallTicket, RetryNotice, Stuck, Turn
from cofounder.agent.kit import Kit
from cofounder.agent.prompt import (
    BROKEN_OFF_NOTE,
    CUT_NOTE,
    EMPTY_NOTE,
    SILENCE,
    system_prompt,
)
from cofounder.agent.retry import SleepUntil, after_failure
from cofounder.domain.errors import ModelCredentialsError, ModelError
from cofounder.domain.transcript import Block, StopReason, TextBlock, ToolUseBlock
from cofounder.ports.model import ModelReply, ModelRequest

# No tokenizer puts more than one token on two bytes of ordinary text or code, so that
# half the bytes is a safe bound for what the provider has not counted yet.
_BYTES_PER_TOKEN = 2
_ENVELOPE_TOKENS = 600
# Replies that broke off, and what the model is told of it.
_BROKEN_OFF = {
    StopReason.MAX_TOKENS: CUT_NOTE,
    StopReason.REFUSAL: BROKEN_OFF_NOTE,
    StopReason.CONTEXT_WINDOW: BROKEN_OFF_NOTE,
}


async def think(turn: Turn, kit: Kit) -> bool:
    """Get the model's next reply into the conversation. False: the session stopped."""
    request = ModelRequest(
        model=turn.job.model,
        system=system_prompt(turn.job),
        tools=kit.tools.specs,
        messages=turn.messages,
        max_tokens=kit.max_tokens,
    )
    prompt_bytes = kit.model.prompt_bytes(request)
    attempt = 1
    while True:
        ticket = await kit.journal.begin_call(
            turn, prompt_tokens=_bound(turn, prompt_bytes), max_tokens=kit.max_tokens
        )
        if ticket is None:
            return False
        reply = await _call(turn, kit, request, ticket, attempt)
        if isinstance(reply, ModelReply):
            turn.prompt_bytes, turn.prompt_tokens = prompt_bytes, reply.usage.prompt_tokens
            return await _record(turn, kit, ticket, reply)
        if not reply:
            return False
        attempt += 1


def _bound(turn: Turn, prompt_bytes: int) -> int:
    """At most this many tokens does a prompt of that many bytes have."""
    whole = math.ceil(prompt_bytes / _BYTES_PER_TOKEN) + _ENVELOPE_TOKENS
    if not turn.prompt_bytes:
        return whole
    grown = math.ceil(max(0, prompt_bytes - turn.prompt_bytes) / _BYTES_PER_TOKEN)
    return min(whole, turn.prompt_tokens + grown + _ENVELOPE_TOKENS)


async def _call(
    turn: Turn, kit: Kit, request: ModelRequest, ticket: CallTicket, attempt: int
) -> ModelReply | bool:
    """The reply; or whether to try again after the failure was dealt with."""
    try:
        return await kit.model.complete(replace(request, max_tokens=ticket.max_tokens))
    except ModelError as error:
        return await _after_failure(turn, kit, ticket, error, attempt)


async def _after_failure(
    turn: Turn, kit: Kit, ticket: CallTicket, error: ModelError, attempt: int
) -> bool:
    if not error.retryable:
        if await kit.journal.call_failed(turn, ticket, error, None):
            await _give_up(turn, kit, error)
        return False
    now = kit.clock.now()
    step = after_failure(kit.retry, error, attempt=attempt, jitter=kit.ids.jitter(), now=now)
    if isinstance(step, SleepUntil):
        if await kit.journal.call_failed(turn, ticket, error, None):
            reason = f"The model provider asked to retry later ({error.message})"
            await kit.journal.sleep_until(turn, step.wake_at, reason)
        return False
    notice = RetryNotice(attempt=attempt, retry_at=now + timedelta(seconds=step.seconds))
    if not await kit.journal.call_failed(turn, ticket, error, notice):
        return False
    await kit.clock.sleep(step.seconds)
    return True


async def _give_up(turn: Turn, kit: Kit, error: ModelError) -> None:
    if not isinstance(error, ModelCredentialsError):
        await kit.journal.fail(turn, f"The model refused the request: {error.message}")
        return
    await kit.journal.escalate(
        turn,
        Stuck(
            cause="model-credentials",
            problem=f"The model provider does not accept our key or payment: {error.message}",
            recommended="fixed",
            options=(
                ("fixed", "It is mended, go on", "The key, permission or payment works now."),
                STOP_OPTION,
            ),
        ),
    )


def _usable(reply: ModelReply) -> tuple[ModelReply, str | None]:
    """What may be kept of a reply, and what to tell the model about the rest."""
    blocks, note = reply.blocks, _BROKEN_OFF.get(reply.stop_reason)
    if note is not None:
        # A call whose arguments were cut off may still parse; it must never be run.
        blocks = tuple(block for block in blocks if not isinstance(block, ToolUseBlock))
    if reply.stop_reason is not StopReason.PAUSE_TURN and not any(map(_says_something, blocks)):
        # The provider refuses an empty message, so that silence needs words.
        blocks, note = (*blocks, TextBlock(text=SILENCE)), note or EMPTY_NOTE
    return replace(reply, blocks=blocks), note


def _says_something(block: Block) -> bool:
    if isinstance(block, TextBlock):
        return bool(block.text.strip())
    return isinstance(block, ToolUseBlock)


async def _record(turn: Turn, kit: Kit, ticket: CallTicket, reply: ModelReply) -> bool:
    if not await kit.journal.record_reply(turn, ticket, *_usable(reply)):
        return False
    if reply.stop_reason is StopReason.REFUSAL:
        await kit.journal.escalate(
            turn,
            Stuck(
                cause="model-refusal",
                problem=f"The model declined to go on: {turn.messages[-1].text[:500]}",
                recommended="rephrase",
                options=(
                    ("rephrase", "Explain", "Say in the guidance what is meant, and go on."),
                    STOP_OPTION,
                ),
            ),
        )
        return False
    if reply.stop_reason is StopReason.CONTEXT_WINDOW:
        await kit.journal.fail(turn, "The conversation no longer fits the model's window.")
        return False
    # The provider paused a long reply: the same conversation is sent again as it is.
    return reply.stop_reason is not StopReason.PAUSE_TURN or await think(turn, kit)
