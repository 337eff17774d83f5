"""A service without its database is worth waiting for: it answers 503 until it is back."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from cofounder.api.problems import MEDIA_TYPE, problem
from cofounder.cli.client import Service, UnreachableError

pytestmark = pytest.mark.anyio

_CURE = "Try again in a moment."


async def _unavailable(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    body = problem(503, "store_unavailable", "The database cannot be reached.", cure=_CURE)
    content = body.model_dump_json().encode()
    head = (
        f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: {MEDIA_TYPE}\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    writer.write(head.encode() + content)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def _service_without_database(data_dir: Path) -> AsyncIterator[Service]:
    server = await asyncio.start_server(_unavailable, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    (data_dir / "token").write_text("t")
    (data_dir / "service.json").write_text(json.dumps({"url": f"http://127.0.0.1:{port}"}))
    async with server, Service(data_dir) as service:
        yield service


async def test_a_request_says_that_it_passes(tmp_path: Path) -> None:
    async with _service_without_database(tmp_path) as service:
        with pytest.raises(UnreachableError, match="database cannot be reached") as caught:
            await service.get("/api/jobs")
        assert caught.value.cure == _CURE


async def test_a_stream_is_made_again_like_after_silence(tmp_path: Path) -> None:
    async with _service_without_database(tmp_path) as service:
        with pytest.raises(UnreachableError, match="database cannot be reached"):
            async with service.stream("/api/x", last_event_id="1", silence_s=5.0):
                pass
