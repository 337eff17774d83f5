"""What the provider refuses although every field is well-formed.

Each rule looks at a request and says what is wrong with it, in words near to the real
provider's; the first complaint is the answer.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from cofounder.testing.provider.content import sealed, sign
from cofounder.testing.provider.wire import (
    RedactedThinking,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
    WireMessage,
    WireRequest,
)

MAX_BREAKPOINTS = 4

Complaints: TypeAlias = Iterator[str]
Rule: TypeAlias = Callable[[WireRequest], Complaints]


def first_complaint(request: WireRequest, sent_thoughts: Mapping[str, tuple[str, ...]]) -> str:
    """What is wrong with a request, or an empty text.

    `sent_thoughts` tells by tool call which thinking the provider had sent with it.
    """
    for rule in _RULES:
        for complaint in rule(request):
            return complaint
    return next(_thinking_is_back(request, sent_thoughts), "")


def _tools_are_defined(request: WireRequest) -> Complaints:
    names = Counter(tool.name for tool in request.tools)
    if any(count > 1 for count in names.values()):
        yield "tools: Tool names must be unique."
    for index, tool in enumerate(request.tools):
        schema = tool.input_schema
        required = schema.get("required", [])
        if schema.get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Input should be 'object'"
        if not isinstance(schema.get("properties", {}), dict) or not isinstance(required, list):
            yield f"tools.{index}.custom.input_schema: JSON schema is invalid"


def _breakpoints_are_few(request: WireRequest) -> Complaints:
    blocks = [block for message in request.messages for block in message.blocks]
    cacheable = [*request.tools, *request.system_blocks, *blocks]
    count = sum(getattr(block, "cache_control", None) is not None for block in cacheable)
    if count > MAX_BREAKPOINTS:
        yield (
            f"A maximum of {MAX_BREAKPOINTS} blocks with cache_control may be provided. "
            f"Found {count}."
        )


def _texts_say_something(request: WireRequest) -> Complaints:
    for index, prompt in enumerate(request.system_blocks):
        if not prompt.text.strip():
            yield f"system.{index}: text content blocks must contain non-whitespace text"
    for place, message in _placed(request):
        if not message.blocks:
            yield f"{place}: {message.role} messages must have non-empty content"
        for block in message.blocks:
            if isinstance(block, Text) and not block.text.strip():
                yield f"{place}: text content blocks must contain non-whitespace text"
            if isinstance(block, ToolResult):
                yield from _result_says_something(place, block)


def _result_says_something(place: str, result: ToolResult) -> Complaints:
    if isinstance(result.content, list) and not all(text.strip() for text in result.texts):
        yield f"{place}: text content blocks must contain non-whitespace text"
    if result.is_error and not "".join(result.texts).strip():
        yield f"{place}: content cannot be empty if `is_error` is true"


def _roles_fit(request: WireRequest) -> Complaints:
    if request.messages[0].role != "user":
        yield 'messages: first message must use the "user" role'
    for place, message in _placed(request):
        for block in message.blocks:
            if isinstance(block, ToolResult) and message.role != "user":
                yield f"{place}: `tool_result` blocks can only be in `user` messages"
            own = isinstance(block, ToolUse | Thinking | RedactedThinking)
            if own and message.role != "assistant":
                yield f"{place}: `{block.type}` blocks can only be in `assistant` messages"


def _calls_are_answered(request: WireRequest) -> Complaints:
    following = [*request.messages[1:], None]
    for (place, message), after in zip(_placed(request), following, strict=True):
        calls = [block.id for block in message.blocks if isinstance(block, ToolUse)]
        answers = _answers(after)
        missing = [call for call in calls if call not in answers]
        if missing:
            yield (
                f"{place}: `tool_use` ids were found without `tool_result` blocks immediately "
                f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding "
                "`tool_result` block in the next message."
            )


def _answers_have_calls(request: WireRequest) -> Complaints:
    before = [None, *request.messages[:-1]]
    for (place, message), previous in zip(_placed(request), before, strict=True):
        calls = set() if previous is None else _calls(previous)
        answers = _answers(message)
        for answer in answers:
            if answer not in calls:
                yield (
                    f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {answer}. "
                    "Each `tool_result` block must have a corresponding `tool_use` block in the "
                    "previous message."
                )
        if len(set(answers)) < len(answers):
            yield f"{place}: each tool_use must have a single result"


def _answers_come_first(request: WireRequest) -> Complaints:
    for place, message in _placed(request):
        is_answer = [isinstance(block, ToolResult) for block in message.blocks]
        if is_answer != sorted(is_answer, reverse=True):
            yield f"{place}: `tool_result` blocks must come first in the content"


def _ids_are_unique(request: WireRequest) -> Complaints:
    seen: set[str] = set()
    for place, message in _placed(request):
        for block in message.blocks:
            if isinstance(block, ToolUse):
                if block.id in seen:
                    yield f"{place}: `tool_use` ids must be unique"
                seen.add(block.id)


def _calls_have_tools(request: WireRequest) -> Complaints:
    names = {tool.name for tool in request.tools}
    for place, message in _placed(request):
        for block in message.blocks:
            if isinstance(block, ToolUse) and block.name not in names:
                yield f"{place}: tool '{block.name}' is not among the tools"


def _replies_end_well(request: WireRequest) -> Complaints:
    for place, message in _placed(request):
        last = message.blocks[-1]
        if isinstance(last, Thinking | RedactedThinking):
            yield f"{place}: The final block in an assistant message cannot be `{last.type}`."
    last_message = request.messages[-1]
    final = last_message.blocks[-1]
    unstripped = isinstance(final, Text) and final.text != final.text.rstrip()
    if last_message.role == "assistant" and unstripped:
        yield "messages: final assistant content cannot end with trailing whitespace"


def _thinking_is_unchanged(request: WireRequest) -> Complaints:
    for place, message in _placed(request):
        for index, block in enumerate(message.blocks):
            if isinstance(block, Thinking) and block.signature != sign(block.thinking):
                yield f"{place}.content.{index}: Invalid `signature` in `thinking` block"
            if isinstance(block, RedactedThinking) and not sealed(block.data):
                yield f"{place}.content.{index}: Invalid `data` in `redacted_thinking` block"


def _thinking_is_back(
    request: WireRequest, sent_thoughts: Mapping[str, tuple[str, ...]]
) -> Complaints:
    """The last reply that called a tool brings back all the thinking that led to the call."""
    for index in range(len(request.messages) - 1, -1, -1):
        message = request.messages[index]
        calls = [block.id for block in message.blocks if isinstance(block, ToolUse)]
        if not calls:
            continue
        # Unknown calls were made before the provider was started anew.
        thoughts = _thoughts(message)
        if thoughts != sent_thoughts.get(calls[0], thoughts):
            yield (
                f"messages.{index}.content.0: Expected `thinking` or `redacted_thinking` as it "
                "was sent. When thinking is on, the last assistant message must start with it."
            )
        return


def _placed(request: WireRequest) -> Iterator[tuple[str, WireMessage]]:
    for index, message in enumerate(request.messages):
        yield f"messages.{index}", message


def _calls(message: WireMessage) -> set[str]:
    return {block.id for block in message.blocks if isinstance(block, ToolUse)}


def _answers(message: WireMessage | None) -> list[str]:
    blocks = [] if message is None else message.blocks
    return [block.tool_use_id for block in blocks if isinstance(block, ToolResult)]


def _thoughts(message: WireMessage) -> tuple[str, ...]:
    return tuple(
        block.signature if isinstance(block, Thinking) else block.data
        for block in message.blocks
        if isinstance(block, Thinking | RedactedThinking)
    )


_RULES: tuple[Rule, ...] = (
    _tools_are_defined,
    _breakpoints_are_few,
    _texts_say_something,
    _roles_fit,
    _calls_are_answered,
    _answers_have_calls,
    _answers_come_first,
    _ids_are_unique,
    _calls_have_tools,
    _replies_end_well,
    _thinking_is_unchanged,
)
