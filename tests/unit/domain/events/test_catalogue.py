"""The event catalogue against the contract: types, fields, spelling, instants."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from cofounder.domain.events import (
    Envelope,
    Event,
    Origin,
    decode_event,
    encode_event,
    event_types,
)
from cofounder.domain.events.agent import Narrated, Sleeping, StateChanged
from cofounder.domain.events.work import PhaseCompleted
from cofounder.domain.ids import JobId, SessionId
from cofounder.domain.phases import PhaseStatus
from cofounder.domain.session import SessionState
from tests.unit.domain.samples import NOON

ENVELOPE = {"type", "seq", "epoch", "at", "job_id", "session_id"}
# What the contract says each event carries.
CONTRACT = {
    "agent.thinking": set[str](),
    "agent.tool.called": {"tool_name", "tool_label", "tool_summary", "duration"},
    "agent.narrated": {"text"},
    "agent.budget_updated": {"budget_pct", "spent", "limit"},
    "agent.sleeping": {"message", "budget_pct", "wake_at", "reason"},
    "agent.waking": {"message", "reason"},
    "agent.budget_exceeded": {"message", "wake_at"},
    "agent.retrying": {"attempt", "error_type", "retry_at"},
    "agent.waiting_for_input": {"escalation_id"},
    "agent.escalation_resolved": {"escalation_id", "resolution", "resolved_at"},
    "agent.build_paused": {"reason"},
    "agent.state_changed": {"from", "to", "reason"},
    "agent.completed": set[str](),
    "agent.failed": {"problem"},
    "gsd.phase.started": {"phase_id", "phase_name", "status", "started_at"},
    "gsd.phase.completed": {"phase_id", "phase_name", "status", "started_at", "completed_at"},
    "document.updated": set[str](),
    "snapshot.updated": set[str](),
}
ORIGIN = Origin(at=NOON, job_id=JobId("job_1"), session_id=SessionId("job_1"))
CLASSES: dict[str, type[BaseModel]] = {
    member.model_fields["type"].default: member for member in get_args(get_args(Event)[0])
}
MOVED = StateChanged(
    **ORIGIN,
    from_state=SessionState.WORKING,
    to_state=SessionState.SLEEPING,
    reason="allowance_used",
)


def fields_of(data: bytes) -> dict[str, object]:
    """The top-level fields of a JSON object."""
    loaded: dict[str, object] = json.loads(data)
    return loaded


def narrated(at: datetime, text: str = "hello") -> Narrated:
    """An event of that instant."""
    return Narrated(at=at, job_id=ORIGIN["job_id"], session_id=ORIGIN["session_id"], text=text)


def test_the_catalogue_is_the_contracts() -> None:
    assert sorted(event_types()) == sorted(CONTRACT)
    assert len(event_types()) == 18


@pytest.mark.parametrize("event_type", CONTRACT)
def test_it_publishes_the_envelope_and_what_it_carries(event_type: str) -> None:
    cls = CLASSES[event_type]
    assert issubclass(cls, Envelope)
    schema = cls.model_json_schema(mode="serialization")
    assert ENVELOPE | CONTRACT[event_type] <= set(schema["properties"])
    assert set(schema["required"]) == set(schema["properties"])


def test_the_union_is_told_apart_by_type() -> None:
    adapter: TypeAdapter[Event] = TypeAdapter(Event)
    discriminator = adapter.json_schema()["discriminator"]
    assert discriminator["propertyName"] == "type"
    assert set(discriminator["mapping"]) == set(CONTRACT)


def test_a_move_is_spelled_from_and_to() -> None:
    encoded = fields_of(encode_event(MOVED))
    assert (encoded["from"], encoded["to"]) == ("working", "sleeping")
    assert not {"from_state", "to_state"} & set(encoded)
    assert decode_event(encode_event(MOVED)) == MOVED


def test_an_event_is_never_changed_but_the_store_can_number_a_copy() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MOVED.reason = "another"
    stored = MOVED.model_copy(update={"seq": 7, "epoch": "e1"})
    assert (MOVED.seq, MOVED.epoch) == (0, "")
    assert (stored.seq, stored.epoch) == (7, "e1")


@given(text=st.text(), at=st.datetimes(timezones=st.just(UTC)))
def test_text_and_instant_come_back_unchanged(text: str, at: datetime) -> None:
    event = narrated(at, text)
    decoded = decode_event(encode_event(event))
    assert decoded == event
    assert decoded.at.tzinfo is UTC


@given(before=st.text(), half=st.characters(categories=["Cs"]), after=st.text())
def test_half_a_surrogate_pair_is_replaced_and_the_rest_kept(
    before: str, half: str, after: str
) -> None:
    decoded = decode_event(encode_event(narrated(NOON, before + half + after)))
    assert decoded == narrated(NOON, f"{before}\ufffd{after}")


@pytest.mark.parametrize("hours", [-8, 2])
def test_an_instant_of_another_zone_is_taken_into_utc(hours: int) -> None:
    event = narrated(NOON.astimezone(timezone(timedelta(hours=hours))))
    assert event.at == NOON
    assert event.at.tzinfo is UTC
    assert fields_of(encode_event(event))["at"] == "2026-03-10T12:00:00Z"


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValidationError, match="timezone"):
        narrated(naive)
    with pytest.raises(ValidationError, match="timezone"):
        Sleeping(**ORIGIN, message="", budget_pct=90, wake_at=naive, reason="allowance_used")
    with pytest.raises(ValidationError, match="timezone"):
        decode_event(encode_event(narrated(NOON)).replace(b"00Z", b"00"))


def test_a_phase_that_never_started_can_be_completed() -> None:
    event = PhaseCompleted(
        **ORIGIN,
        phase_id="plan",
        phase_name="Plan",
        status=PhaseStatus.COMPLETED,
        started_at=None,
        completed_at=NOON,
    )
    assert fields_of(encode_event(event))["started_at"] is None
    assert decode_event(encode_event(event)) == event


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b'{"type": "agent.unheard_of"}',
        b'{"type": "agent.narrated"}',
        b"not json",
        encode_event(MOVED).replace(b'"sleeping"', b'"dreaming"'),
    ],
)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(ValidationError):
        decode_event(data)
