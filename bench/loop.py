"""What an iteration costs besides the model: CPU, bytes written, memory.

The whole service runs in this process (loop, SDK, database, queue, event stream's log, HTTP
server); the model is the strict provider in a process of its own, so that its work does not
count. An iteration is one call, one file written, one file read and one command.

"kept" is what the database has grown by; "written" is all that went to files, the write-ahead
log with its whole pages included.
"""

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

import psutil
from pydantic import SecretStr

from cofounder.adapters.auth.token_file import LOCAL_OWNER
from cofounder.bootstrap.service import Running, running
from cofounder.domain.events import decode_event
from cofounder.domain.events.agent import StateChanged, Thinking
from cofounder.domain.session import SessionState
from cofounder.services.jobs import JobRequest
from cofounder.settings import isolated_settings

AT = (50, 200, 400)
HALF_WINDOW = 10
_PASSAGE = "The quick brown fox jumps over the lazy dog; " * 20


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What this process had used when an iteration began."""

    cpu_s: float
    wall_s: float
    written_bytes: int
    kept_bytes: int
    rss_bytes: int


async def measure() -> str:
    """Run one long job and return the table."""
    marks: dict[int, Mark] = {}
    with tempfile.TemporaryDirectory(prefix="cofounder-bench-") as folder:
        async with _provider(Path(folder)) as url:
            settings = isolated_settings(
                data_dir=Path(folder, "data"),
                port=0,
                cycle_budget_usd=100_000,
                max_tool_calls=10_000,
                ANTHROPIC_API_KEY=SecretStr("test-key"),
                ANTHROPIC_BASE_URL=url,
            )
            async with running(settings) as live:
                await _follow(live, marks)
    return _table(marks)


def _script() -> list[object]:
    def turn(number: int) -> object:
        path = f"part_{number % 7}.txt"
        content = f"{number}\n{_PASSAGE}"
        return {
            "say": f"Step {number}.",
            "tools": [
                {"name": "write_file", "input": {"path": path, "content": content}},
                {"name": "read_file", "input": {"path": path}},
                {"name": "bash", "input": {"command": f"wc -c {path}; echo {number}"}},
            ],
        }

    return [turn(number) for number in range(max(AT) + HALF_WINDOW)] + [{"say": "Done."}]


@asynccontextmanager
async def _provider(folder: Path) -> AsyncIterator[str]:
    file = folder / "script.json"
    await asyncio.to_thread(file.write_text, json.dumps({"default": _script()}))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cofounder.testing.provider", "--script", str(file), "--port", "0",
        stdout=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        port = json.loads(await process.stdout.readline())["port"]
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _follow(live: Running, marks: dict[int, Mark]) -> None:
    async with asyncio.timeout(600):
        request = JobRequest(idea_brief="Measure yourself.")
        job = (await live.services.jobs.create(LOCAL_OWNER, request)).job
        database = live.data_dir.root / "cofounder.db"
        async with live.services.bus.subscribe(job.job_id) as items:
            async for item in items:
                event = decode_event(item)
                if isinstance(event, Thinking):
                    marks[event.iteration] = _mark(database)
                if isinstance(event, StateChanged) and event.to_state is not SessionState.WORKING:
                    break


def _mark(database: Path) -> Mark:
    process = psutil.Process(os.getpid())
    with closing(sqlite3.connect(database)) as connection:
        pages, page_bytes = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "page_size")
        )
    return Mark(
        cpu_s=time.process_time(),
        wall_s=time.perf_counter(),
        written_bytes=process.io_counters().write_chars,
        kept_bytes=pages * page_bytes,
        rss_bytes=process.memory_info().rss,
    )


def _table(marks: dict[int, Mark]) -> str:
    names = ("iteration", "CPU ms", "wall ms", "KB kept", "KB written", "RSS MiB")
    lines = [
        "Loop overhead: one call, a write, a read and a command per iteration",
        " ".join(f"{name:>10}" for name in names),
    ]
    for at in AT:
        first, last = marks[at - HALF_WINDOW], marks[at + HALF_WINDOW]
        count = 2 * HALF_WINDOW
        figures = (
            1000 * (last.cpu_s - first.cpu_s) / count,
            1000 * (last.wall_s - first.wall_s) / count,
            (last.kept_bytes - first.kept_bytes) / count / 1024,
            (last.written_bytes - first.written_bytes) / count / 1024,
            last.rss_bytes / 2**20,
        )
        lines.append(" ".join([f"{at:>10}", *(f"{figure:>10.1f}" for figure in figures)]))
    return "\n".join(lines)
