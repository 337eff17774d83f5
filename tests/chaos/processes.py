"""Provider and service as processes of their own, to be killed."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from cofounder.domain.json_types import JsonObject
from tests.e2e.harness import Founder, as_list, as_object

START_S = 30


class Provider:
    """The strict provider in its own process."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def bill(self) -> list[JsonObject]:
        return await self._rows("_bill")

    async def refusals(self) -> list[JsonObject]:
        return await self._rows("_refusals")

    async def _rows(self, name: str) -> list[JsonObject]:
        async with httpx2.AsyncClient() as http:
            return as_list((await http.get(f"{self.url}/{name}")).json())


@asynccontextmanager
async def provider(folder: Path, script: JsonObject) -> AsyncIterator[Provider]:
    """Play a script from a file."""
    file = folder / "script.json"
    file.write_text(json.dumps(script))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cofounder.testing.provider", "--script", str(file), "--port", "0",
        stdout=PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_S):
            ready = as_object(json.loads(await process.stdout.readline()))
        yield Provider(f"http://127.0.0.1:{ready['port']}")
    finally:
        await _ended(process, signal.SIGTERM)


@asynccontextmanager
async def service(data_dir: Path, provider_url: str) -> AsyncIterator[tuple[Process, Founder]]:
    """`cofounder up`, ready to be asked, and a client."""
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("COFOUNDER_", "ANTHROPIC_"))},
        "ANTHROPIC_API_KEY": "test-key",
        "ANTHROPIC_BASE_URL": provider_url,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cofounder", "up", "--data-dir", str(data_dir), "--port", "0",
        env=environment, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    try:
        url = await _announced(data_dir, process)
        token = (data_dir / "token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=url, headers=headers) as http:
            yield process, Founder(http)
    finally:
        await _ended(process, signal.SIGTERM)


async def _announced(data_dir: Path, process: Process) -> str:
    """The address, once this very process has announced it on its standard output."""
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(START_S):
        async for line in process.stdout:
            said += line
            file = data_dir / "service.json"
            if file.exists() and (news := json.loads(file.read_text()))["pid"] == process.pid:
                return str(news["url"])
    assert process.stderr is not None
    raise AssertionError((said + await process.stderr.read()).decode())


async def _ended(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        process.send_signal(number)
    try:
        async with asyncio.timeout(20):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


async def kill(process: Process) -> None:
    """As if the power had failed."""
    process.kill()
    await process.wait()
