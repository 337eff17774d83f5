from datetime import UTC, datetime

import pytest

from cofounder.api.sse import Cursor, live_frame, ping_frame, read_cursor, reset_frame, stored_frame
from cofounder.domain.errors import InvalidInputError
from cofounder.domain.events import encode_event
from cofounder.domain.events.agent import Narrated
from cofounder.domain.ids import JobId, SessionId
from cofounder.ports.store import LogHead, StoredEvent

AT = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
EVENT = Narrated(
    seq=7, epoch="log_1", at=AT, job_id=JobId("j"), session_id=SessionId("s"), text="a\nb\r\u2028"
)


def test_a_frame_is_the_same_from_the_bus_and_from_the_log() -> None:
    data = encode_event(EVENT)
    live = live_frame(data)
    assert live is not None
    assert live == stored_frame(StoredEvent(event=EVENT, data=data))
    assert live.seq == 7
    assert live.data == b"id: log_1:7\nevent: agent.narrated\ndata: %b\n\n" % data


def test_an_event_is_one_line_whatever_its_text() -> None:
    frame = stored_frame(StoredEvent(event=EVENT, data=encode_event(EVENT)))
    assert frame.data.count(b"\n") == 4
    assert b"\r" not in frame.data


@pytest.mark.parametrize("item", [b"", b"{", b"{}", b"[]", b'{"type": "x", "seq": "a"}', b"\xff"])
def test_what_cannot_be_read_is_no_frame(item: bytes) -> None:
    assert live_frame(item) is None


def test_a_ping_has_no_id() -> None:
    expected = b'event: ping\ndata: {"server_time":"2026-05-01T12:00:00Z"}\n\n'
    assert ping_frame(AT) == expected


def test_a_reset_moves_the_reader() -> None:
    frame = reset_frame(LogHead(epoch="log_1", last_seq=9), "beyond_end")
    data = b'{"reason":"beyond_end","epoch":"log_1","last_seq":9}'
    assert frame == b"id: log_1:9\nevent: reset\ndata: %b\n\n" % data


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("0", Cursor(seq=0, epoch=None)),
        ("12", Cursor(seq=12, epoch=None)),
        ("log_1:12", Cursor(seq=12, epoch="log_1")),
        ("a:b:3", Cursor(seq=3, epoch="a:b")),
        (":3", Cursor(seq=3, epoch="")),
    ],
)
def test_a_position_is_a_number_with_or_without_its_log(text: str, cursor: Cursor) -> None:
    assert read_cursor(text, field="after") == cursor


@pytest.mark.parametrize("text", ["", "x", "1.5", "-1", "log:", "1" * 16, "\u0661", " 1"])
def test_other_positions_are_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_cursor(text, field="after")
    assert refused.value.field == "after"
