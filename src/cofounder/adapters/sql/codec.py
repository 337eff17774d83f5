"""Domain values as JSON text and back.

The JSON is pure ASCII: whatever a string holds, half a surrogate pair or a NUL included,
is escaped, so that the model's thinking comes back exactly as it was. Values that are
read back are of our own writing, hence no validation; a field that is added to a class
later needs a default there, for rows that were written before.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from cofounder.domain.escalation import Attempt, Option
from cofounder.domain.jobs import BuildPlan, PlannedPhase, QuestionAndAnswer
from cofounder.domain.schedule import FixedCalendar, MonthlyCalendar
from cofounder.domain.transcript import (
    Block,
    Image,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
)

_BLOCKS: dict[str, type[Block]] = {
    "text": TextBlock,
    "thinking": ThinkingBlock,
    "redacted_thinking": RedactedThinkingBlock,
    "tool_use": ToolUseBlock,
    "tool_result": ToolResultBlock,
}
_BLOCK_NAMES = {kind: name for name, kind in _BLOCKS.items()}


def encode_blocks(blocks: Sequence[Block]) -> str:
    """A list of objects, each with its kind as `type`."""
    return _encode([{"type": _BLOCK_NAMES[type(block)], **vars(block)} for block in blocks])


def decode_blocks(text: str) -> tuple[Block, ...]:
    """What `encode_blocks` wrote."""
    blocks = []
    for fields in json.loads(text):
        if fields.get("image"):
            fields["image"] = Image(**fields["image"])
        blocks.append(_BLOCKS[fields.pop("type")](**fields))
    return tuple(blocks)


def encode_calendar(calendar: MonthlyCalendar | FixedCalendar) -> str:
    """An object; `anchor` tells the kinds apart and is in ISO 8601."""
    return _encode(vars(calendar))


def decode_calendar(text: str) -> MonthlyCalendar | FixedCalendar:
    """What `encode_calendar` wrote."""
    fields = json.loads(text)
    if "anchor" not in fields:
        return MonthlyCalendar(**fields)
    return FixedCalendar(**{**fields, "anchor": datetime.fromisoformat(fields["anchor"])})


def encode_list(values: Sequence[QuestionAndAnswer | Attempt | Option]) -> str:
    """A list of objects; instants in ISO 8601."""
    return _encode([vars(value) for value in values])


def decode_answers(text: str) -> tuple[QuestionAndAnswer, ...]:
    """What `encode_list` wrote."""
    return tuple(QuestionAndAnswer(**fields) for fields in json.loads(text))


def decode_attempts(text: str) -> tuple[Attempt, ...]:
    """What `encode_list` wrote."""
    return tuple(
        Attempt(**{**fields, "at": datetime.fromisoformat(fields["at"])})
        for fields in json.loads(text)
    )


def decode_options(text: str) -> tuple[Option, ...]:
    """What `encode_list` wrote."""
    return tuple(Option(**fields) for fields in json.loads(text))


def encode_plan(plan: BuildPlan) -> str:
    """An object with `summary` and `phases`."""
    return _encode(vars(plan))


def decode_plan(text: str) -> BuildPlan:
    """What `encode_plan` wrote."""
    fields = json.loads(text)
    phases = tuple(PlannedPhase(**phase) for phase in fields.pop("phases"))
    return BuildPlan(**fields, phases=phases)


def _encode(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return vars(value)
