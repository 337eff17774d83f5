from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cofounder.cli.event_stream import Sent, sent_events

STREAM = (
    b"retry: 1500\n\n"
    b"id: log_1:7\nevent: agent.narrated\n"
    b'data: {"text": "caf\xc3\xa9 \xe2\x80\xa8 line separator"}\n\n'
    b": a comment\n\n"
    b"event: ping\r\ndata: {}\r\n\r\n"
    b"data: one\ndata: two\n\n"
    b"id: log_1:8\ndata: cut off"
)
EXPECTED = [
    Sent(name="message", id="", data=""),
    Sent(
        name="agent.narrated",
        id="log_1:7",
        data='{"text": "café \N{LINE SEPARATOR} line separator"}',
    ),
    Sent(name="message", id="", data=""),
    Sent(name="ping", id="", data="{}"),
    Sent(name="message", id="", data="one\ntwo"),
]


async def chunks(parts: Sequence[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def read(parts: Sequence[bytes]) -> list[Sent]:
    return [sent async for sent in sent_events(chunks(parts))]


@pytest.mark.anyio
async def test_events_end_at_empty_lines_and_a_cut_one_is_left_out() -> None:
    assert await read([STREAM]) == EXPECTED


@pytest.mark.anyio
@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=12))
async def test_it_does_not_matter_how_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[a:b] for a, b in pairwise(edges)]
    assert await read(parts) == EXPECTED
