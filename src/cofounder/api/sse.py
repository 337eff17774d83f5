"""Server-sent events as bytes: encoded once, shared by everybody who listens."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from cofounder.api.schemas.events import Ping, Reset
from cofounder.domain.errors import InvalidInputError
from cofounder.ports.store import LogHead, StoredEvent


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """One event of a job's log, ready to be written to a socket."""

    seq: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """Where a reader stands: it has seen everything up to `seq` of the log `epoch`.

    `epoch` is None when the reader named a number only, and is then not checked.
    """

    seq: int
    epoch: str | None


class _Head(BaseModel):
    """The part of an event's JSON that the frame is made of."""

    model_config = ConfigDict(extra="ignore")

    type: str
    seq: int
    epoch: str


def live_frame(event_json: bytes) -> Frame | None:
    """The frame of what came over the bus; None for what cannot be read."""
    try:
        head = _Head.model_validate_json(event_json)
    except ValidationError:
        return None
    return _frame(head.epoch, head.seq, head.type, event_json)


def stored_frame(stored: StoredEvent) -> Frame:
    """The frame of an event of the log."""
    event = stored.event
    return _frame(event.epoch, event.seq, event.type, stored.data)


def ping_frame(now: datetime) -> bytes:
    """A sign of life. It has no id, so that it does not move a reader's position."""
    return b"event: ping\ndata: %b\n\n" % Ping(server_time=now).model_dump_json().encode()


def reset_frame(head: LogHead, reason: str) -> bytes:
    """Tells that the stream goes on from the log's end, and moves the reader there."""
    reset = Reset(reason=reason, epoch=head.epoch, last_seq=head.last_seq)
    data = reset.model_dump_json().encode()
    return _frame(head.epoch, head.last_seq, "reset", data).data


def retry_frame(retry_ms: int) -> bytes:
    """How long a reader waits before it connects again."""
    return b"retry: %d\n\n" % retry_ms


def read_cursor(text: str, *, field: str) -> Cursor:
    """`SEQ` or `EPOCH:SEQ`; `InvalidInputError` for anything else."""
    epoch, colon, seq = text.rpartition(":")
    if not (seq.isascii() and seq.isdecimal() and len(seq) <= 15):
        raise InvalidInputError(
            f"{field} must be SEQ or EPOCH:SEQ.",
            field=field,
            cure="Send the id of the last event that was received, or leave it out.",
        )
    return Cursor(seq=int(seq), epoch=epoch if colon else None)


def _frame(epoch: str, seq: int, event_type: str, data: bytes) -> Frame:
    head = f"id: {epoch}:{seq}\nevent: {event_type}\ndata: ".encode()
    return Frame(seq=seq, data=b"%b%b\n\n" % (head, data))
