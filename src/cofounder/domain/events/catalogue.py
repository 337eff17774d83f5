"""All events as one union, and their JSON."""

import json
import re
from typing import Annotated, TypeAlias, get_args

from pydantic import Field, TypeAdapter
from pydantic_core import PydanticSerializationError

from cofounder.domain.events.agent import (
    BudgetExceeded,
    BudgetUpdated,
    BuildPaused,
    Completed,
    EscalationResolved,
    Failed,
    Narrated,
    Retrying,
    Sleeping,
    StateChanged,
    Thinking,
    ToolCalled,
    WaitingForInput,
    Waking,
)
from cofounder.domain.events.work import (
    DocumentUpdated,
    PhaseCompleted,
    PhaseStarted,
    SnapshotUpdated,
)

Event: TypeAlias = Annotated[
    Thinking
    | ToolCalled
    | Narrated
    | BudgetUpdated
    | Sleeping
    | Waking
    | BudgetExceeded
    | Retrying
    | WaitingForInput
    | EscalationResolved
    | BuildPaused
    | StateChanged
    | Completed
    | Failed
    | PhaseStarted
    | PhaseCompleted
    | DocumentUpdated
    | SnapshotUpdated,
    Field(discriminator="type"),
]

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def event_types() -> tuple[str, ...]:
    """The `type` of every event in the catalogue."""
    union = get_args(Event)[0]
    return tuple(member.model_fields["type"].default for member in get_args(union))


def encode_event(event: Event) -> bytes:
    """The event's JSON as it is stored, published and streamed.

    Half a surrogate pair, which a model's text may hold, becomes U+FFFD: UTF-8 has no such
    thing, and a word that cannot be told must not undo the fact that it tells.
    """
    try:
        return event.model_dump_json(by_alias=True).encode()
    except PydanticSerializationError:
        text = json.dumps(event.model_dump(mode="json", by_alias=True), ensure_ascii=False)
        return _LONE_SURROGATE.sub("\ufffd", text).encode()


def decode_event(data: bytes | str) -> Event:
    """The event that `encode_event` wrote, in this or any earlier version."""
    return _ADAPTER.validate_json(data)
