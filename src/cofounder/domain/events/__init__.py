"""The event catalogue: one class an event, one discriminated union.

An event is written in the transaction of the fact it tells. Fields are only ever added,
with a default; golden samples of every version must load for ever.
"""

from cofounder.domain.events.catalogue import (
    Event,
    decode_event,
    encode_event,
    event_types,
)
from cofounder.domain.events.envelope import Envelope, Origin

__all__ = ["Envelope", "Event", "Origin", "decode_event", "encode_event", "event_types"]
