"""Events as they are sent. The union is the domain's own."""

from collections.abc import Sequence

from pydantic import BaseModel

from cofounder.domain.events import Event
from cofounder.domain.events.envelope import UtcDatetime
from cofounder.ports.store import LogHead, StoredEvent


class EventPage(BaseModel):
    """A stretch of a job's log, oldest first; `last_seq` and `epoch` are the log's own."""

    items: list[Event]
    last_seq: int
    epoch: str

    @classmethod
    def of(cls, stored: Sequence[StoredEvent], head: LogHead) -> "EventPage":
        """The same, to be sent."""
        return cls(items=[each.event for each in stored], last_seq=head.last_seq, epoch=head.epoch)


class Reset(BaseModel):
    """The stream goes on from `last_seq`; what was before has to be read anew."""

    reason: str
    epoch: str
    last_seq: int


class Ping(BaseModel):
    """The stream is alive; `server_time` sets a page's countdowns right."""

    server_time: UtcDatetime
