"""All events as one union, and their JSON."""

from typing import Annotated, TypeAlias, get_args

from pydantic import Field, TypeAdapter

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

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def event_types() -> tuple[str, ...]:
    """The `type` of every event in the catalogue."""
    union = get_args(Event)[0]
    return tuple(member.model_fields["type"].default for member in get_args(union))


def encode_event(event: Event) -> bytes:
    """The event's JSON as it is stored, published and streamed."""
    return event.model_dump_json(by_alias=True).encode()


def decode_event(data: bytes | str) -> Event:
    """The event that `encode_event` wrote, in this or any earlier version."""
    return _ADAPTER.validate_json(data)
