"""The server's start and end, and what operators see."""

import asyncio
import json
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from cofounder.adapters.clock import SystemClock
from cofounder.api.openapi import openapi_json
from cofounder.api.server import bind
from cofounder.domain.errors import ConfigurationError
from tests.integration.api_service import BROKEN_MODEL, PATIENCE_S, ApiService, api_service
from tests.integration.event_stream import opened

pytestmark = pytest.mark.anyio
STREAMS = 50
# Open streams would hold it up for ever; how fast it really is, a benchmark tells.
ENDS_WITHIN_S = 5.0


async def _new_job(client: httpx2.AsyncClient) -> str:
    return str((await client.post("/api/jobs", json={"idea_brief": "Tea"})).json()["job_id"])


async def test_open_streams_do_not_hold_up_the_end(api: ApiService) -> None:
    clock, ada = SystemClock(), api.client("token-ada")
    job = await _new_job(ada)
    await api.narrate(job, "one")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(opened(ada, job)) for _ in range(STREAMS)]
        assert {(await stream.next()).event for stream in streams} == {"agent.narrated"}
        began_s = clock.monotonic_s()
        api.parts.server.stop()
        await asyncio.wait_for(asyncio.shield(api.serving), PATIENCE_S)
        assert clock.monotonic_s() - began_s < ENDS_WITHIN_S
        assert all([await stream.ended() for stream in streams])


async def test_a_client_that_does_not_read_does_not_hold_up_the_end(api: ApiService) -> None:
    clock, loop = SystemClock(), asyncio.get_running_loop()
    job = await _new_job(api.client("token-ada"))
    url = httpx2.URL(api.url)
    request = f"GET /api/jobs/{job}/events/stream HTTP/1.1\r\nHost: localhost\r\n"
    with socket.socket() as deaf:
        deaf.setblocking(False)
        await loop.sock_connect(deaf, (url.host, url.port))
        await loop.sock_sendall(deaf, f"{request}Authorization: Bearer token-ada\r\n\r\n".encode())
        assert await loop.sock_recv(deaf, 12) == b"HTTP/1.1 200"
        # More than the kernel's buffers hold, so that the server cannot get rid of it.
        for _ in range(100):
            await api.narrate(job, *("x" * 20_000 for _ in range(10)))
        began_s = clock.monotonic_s()
        api.parts.server.stop()
        await asyncio.wait_for(asyncio.shield(api.serving), PATIENCE_S)
        assert clock.monotonic_s() - began_s < ENDS_WITHIN_S


async def test_a_process_ends_soon_after_sigterm(sqlite_store_url: str) -> None:
    clock = SystemClock()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.api_process", sqlite_store_url),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        url = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        headers = {"Authorization": "Bearer token-ada"}
        limits = httpx2.Limits(max_connections=None)
        async with httpx2.AsyncClient(base_url=url, headers=headers, limits=limits) as ada:
            job = await _new_job(ada)
            async with AsyncExitStack() as stack:
                for _ in range(STREAMS):
                    await stack.enter_async_context(opened(ada, job))
                began_s = clock.monotonic_s()
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
                assert clock.monotonic_s() - began_s < ENDS_WITHIN_S
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_port_in_use_is_named_with_a_cure() -> None:
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"{port}") as refused:
            bind("localhost", port)
        assert "--port" in refused.value.cure


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", ""])
async def test_only_the_loopback_interface_is_served(host: str) -> None:
    with pytest.raises(ConfigurationError, match="loopback"):
        bind(host, 0)


@pytest.mark.parametrize("port", [-1, 65_536])
async def test_a_port_that_is_none_is_refused(port: int) -> None:
    with pytest.raises(ConfigurationError, match=f"{port}"):
        bind("127.0.0.1", port)


async def test_not_ready_without_a_database(tmp_path: Path) -> None:
    async with api_service(f"sqlite:///{tmp_path / 'missing' / 'store.db'}") as api:
        probe = api.client(None)
        refused = await probe.get("/api/health/ready")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert refused.json()["field"] == "database"
        assert "missing" not in refused.text
        assert (await probe.get("/api/health/live")).status_code == 200
        for path in ("/api/jobs", "/api/budget", "/metrics", "/api/jobs/job_1/events/stream"):
            answer = await api.client("token-ada").get(path)
            assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")


async def test_metrics_are_what_is_there(api: ApiService) -> None:
    ada, bob = api.client("token-ada"), api.client("token-bob")
    job = await _new_job(ada)
    await api.ask(job)
    await api.sleep(job)
    await _new_job(bob)
    text = (await ada.get("/metrics")).text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert figures['cofounder_sessions{state="sleeping"}'] == "1"
    assert figures['cofounder_sessions{state="queued"}'] == "0"
    assert figures["cofounder_escalations_open"] == "1"
    assert float(figures["process_resident_memory_bytes"]) > 10_000_000
    assert float(figures["process_cpu_seconds_total"]) > 0


async def test_the_description_is_served(api: ApiService) -> None:
    served = (await api.client("token-ada").get("/api/openapi.json")).json()
    described = json.loads(openapi_json())
    assert served["paths"] == described["paths"]
    assert served["components"] == described["components"]


async def test_a_defect_is_told_without_its_details(api: ApiService) -> None:
    ada = api.client("token-ada")
    with capture_logs() as logged:
        refused = await ada.post("/api/jobs", json={"idea_brief": "Tea", "model": BROKEN_MODEL})
    assert [(entry["event"], entry["path"]) for entry in logged] == [
        ("request_failed", "/api/jobs")
    ]
    assert (refused.status_code, refused.json()["code"]) == (500, "internal")
    assert "kaputt" not in refused.text
    assert (await ada.get("/api/jobs")).json()["items"] == []
