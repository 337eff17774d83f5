"""`ports.model.Model` that plays a script in process, for tests that need no HTTP."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from pydantic_core import from_json

from cofounder.domain.errors import (
    ModelCredentialsError,
    ModelError,
    ModelOverloadedError,
    ModelRateLimitedError,
    ModelRejectedError,
    ModelStreamCutError,
)
from cofounder.domain.ids import ToolUseId
from cofounder.domain.money import Usage
from cofounder.domain.transcript import (
    Block,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    paired,
)
from cofounder.ports.clock import Clock
from cofounder.ports.model import ModelReply, ModelRequest
from cofounder.testing.provider.content import Content, Kind, Part, compose, tokens
from cofounder.testing.provider.faults import (
    Cut,
    Fault,
    Hang,
    InStreamError,
    Refused,
    SilentEnd,
    Slow,
    refusal,
)
from cofounder.testing.provider.player import Play, Player, ScriptOverError
from cofounder.testing.provider.script import Dynamic, RequestView, Script, Turn

_ERRORS: Mapping[str, type[ModelError]] = {
    "authentication_error": ModelCredentialsError,
    "permission_error": ModelCredentialsError,
    "billing_error": ModelCredentialsError,
    "rate_limit_error": ModelRateLimitedError,
    "overloaded_error": ModelOverloadedError,
    "api_error": ModelOverloadedError,
}


class ScriptedModel:
    """Replies from a script, fails where it says so, and counts tokens without a cache.

    `requests` holds every call that was made. Waits in the script are waited on `clock`;
    without one they take no time. A stream that hangs is given up at once.
    """

    def __init__(
        self, script: Script | Sequence[Turn] | Dynamic, *, clock: Clock | None = None
    ) -> None:
        self._player = Player(script if isinstance(script, Script) else Script(default=script))
        self._clock = clock
        self.requests: list[ModelRequest] = []

    async def complete(self, request: ModelRequest) -> ModelReply:
        """Play one attempt. Raises the `ModelError` that the script orders.

        A request that leaves a tool call unanswered, or goes on after the script's end, is
        refused with `ModelRejectedError`.
        """
        self.requests.append(replace(request, messages=tuple(request.messages)))
        if not paired(request.messages):
            raise ModelRejectedError("every tool call needs its result in the next message")
        play = self._play(request)
        await self._wait(play)
        refused = refusal(play.fault)
        if refused is not None:
            raise _error(refused)
        usage = Usage(input_tokens=_prompt_tokens(request), output_tokens=1)
        if isinstance(play.fault, InStreamError | Cut | SilentEnd | Hang):
            raise _broken(play.fault, usage)
        seed = sha256(f"{play.conversation}:{play.turn_index}".encode()).hexdigest()
        content = compose(play.turn, seed=seed, max_tokens=request.max_tokens)
        billed = max(1, sum(tokens(part.body) for part in content.parts))
        return ModelReply(
            blocks=_blocks(content),
            stop_reason=content.stop_reason,
            usage=replace(usage, output_tokens=billed),
            provider_request_id=f"req_{len(self.requests):06d}",
        )

    def prompt_bytes(self, request: ModelRequest) -> int:
        """Length of the request's texts in UTF-8."""
        return 4 * _prompt_tokens(request)

    async def close(self) -> None:
        """Nothing to give back."""

    def _play(self, request: ModelRequest) -> Play:
        view = RequestView(
            model=request.model,
            system=request.system,
            tool_names=tuple(tool.name for tool in request.tools),
            messages=tuple(request.messages),
            max_tokens=request.max_tokens,
        )
        try:
            return self._player.play(view)
        except ScriptOverError as error:
            raise ModelRejectedError(str(error)) from error

    async def _wait(self, play: Play) -> None:
        wait_s = play.turn.delay_s + (play.fault.seconds if isinstance(play.fault, Slow) else 0)
        if self._clock is not None and wait_s:
            await self._clock.sleep(wait_s)


def _error(refused: Refused) -> ModelError:
    by_status = ModelOverloadedError if refused.status >= 500 else ModelRejectedError
    kind = _ERRORS.get(refused.error_type, by_status)
    return kind(refused.message, retry_after_s=refused.retry_after_s)


def _broken(fault: Fault, usage: Usage) -> ModelError:
    if isinstance(fault, InStreamError):
        kind = _ERRORS.get(fault.error_type, ModelOverloadedError)
        return kind(f"{fault.error_type} in mid-stream", usage=usage)
    return ModelStreamCutError("The stream ended before the reply was complete", usage=usage)


def _blocks(content: Content) -> tuple[Block, ...]:
    blocks = (_block(part) for part in content.parts)
    return tuple(block for block in blocks if block is not None)


def _block(part: Part) -> Block | None:
    match part.kind:
        case Kind.TEXT:
            return TextBlock(text=part.body)
        case Kind.THINKING if part.whole:
            return ThinkingBlock(thinking=part.body, signature=part.signature)
        case Kind.REDACTED if part.whole:
            return RedactedThinkingBlock(data=part.body)
        case Kind.TOOL_USE if part.whole:
            return ToolUseBlock(
                id=ToolUseId(part.tool_use_id), name=part.tool_name, input=from_json(part.body)
            )
    # What the token limit cut off cannot be used.
    return None


def _prompt_tokens(request: ModelRequest) -> int:
    texts = [request.system]
    texts += [
        tool.name + tool.description + json.dumps(tool.input_schema) for tool in request.tools
    ]
    texts += [_text(block) for message in request.messages for block in message.blocks]
    return sum(tokens(text) for text in texts)


def _text(block: Block) -> str:
    match block:
        case TextBlock() | ToolResultBlock():
            return block.text
        case ThinkingBlock():
            return block.thinking
        case RedactedThinkingBlock():
            return block.data
        case ToolUseBlock():
            return block.name + json.dumps(block.input)
