"""However a command ends, nothing of it is left: seen from the host, by a marker."""

import asyncio
import os
import select
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cofounder.adapters.sandbox import open_sandbox, probe
from cofounder.ports.sandbox import Command, CommandResult, Sandbox, Workspace

pytestmark = pytest.mark.anyio

# Each way to hide from whoever kills only children or a process group.
HIDING = {
    "child": "sleep {marker} &",
    "session": "setsid sleep {marker} &",
    "daemon": "setsid -f sh -c 'setsid -f sleep {marker}'",
    "deaf": "sh -c 'trap \"\" TERM HUP INT; setsid -f sleep {marker}'",
    "many": "for n in $(seq 50); do setsid -f sleep {marker}; done",
}

SERVICE = """
import asyncio, sys
from pathlib import Path
from cofounder.adapters.sandbox import open_sandbox
from cofounder.ports.sandbox import Command

async def main(mode, root, script):
    sandbox = await open_sandbox(mode, Path(root))
    workspace = await sandbox.open("job_1")
    await workspace.run(Command(argv=("sh", "-c", script)))

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(params=["bubblewrap", "landlock"])
async def mode(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    report = await probe(name)
    if report.isolation is None:
        pytest.skip(f"{name} does not work here: {report.detail}")
    return name


@pytest.fixture
async def sandbox(mode: str, tmp_path: Path) -> AsyncIterator[Sandbox]:
    made = await open_sandbox(mode, tmp_path / "jobs")
    yield made
    await made.close()


@pytest.fixture
async def workspace(sandbox: Sandbox) -> Workspace:
    return await sandbox.open("job_1")


@pytest.fixture
def started(workspace: Workspace, tmp_path: Path) -> Path:
    """A pipe in the workspace: a command tells by it that it has come so far."""
    pipe = tmp_path / "jobs" / "job_1" / "started"
    os.mkfifo(pipe)
    return pipe


@pytest.fixture
def marker() -> str:
    """Seconds for `sleep` that no other process on this machine waits for."""
    return f"1000.{uuid.uuid4().int}"


def marked(marker: str) -> list[int]:
    """Processes of the host with the marker on their command line."""
    found: list[int] = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if marker.encode() in words:
            found.append(int(name))
    return found


async def until_marked(marker: str, running: asyncio.Future[CommandResult]) -> None:
    """A process shows its command line only some time after it was started."""
    for _ in range(1000):
        if marked(marker):
            return
        await asyncio.wait({running}, timeout=0.01)
    pytest.fail("the marker was never seen")


def has_ended(pid: int) -> bool:
    """Whether the process ends within 30 seconds."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([pidfd], [], [], 30)[0])
    finally:
        os.close(pidfd)


async def said(pipe: Path) -> None:
    await asyncio.wait_for(asyncio.to_thread(pipe.read_bytes), 30)


def hidden(way: str, marker: str) -> str:
    return HIDING[way].format(marker=marker)


@pytest.mark.parametrize("way", HIDING)
async def test_nothing_outlives_its_command(workspace: Workspace, way: str, marker: str) -> None:
    script = f"{hidden(way, marker)}\necho done"
    result = await workspace.run(Command(argv=("sh", "-c", script), timeout_s=60))
    assert (result.exit_code, result.output) == (0, b"done\n")
    assert marked(marker) == []


@pytest.mark.parametrize("way", HIDING)
async def test_the_time_limit_ends_all(workspace: Workspace, way: str, marker: str) -> None:
    script = f"{hidden(way, marker)}\necho ready\nsleep {marker}"
    result = await workspace.run(Command(argv=("sh", "-c", script), timeout_s=1.0))
    assert (result.exit_code, result.output) == (None, b"ready\n")
    assert result.duration_s < 10
    assert marked(marker) == []


@pytest.mark.parametrize("way", HIDING)
async def test_cancelling_ends_all_first(
    workspace: Workspace, way: str, marker: str, started: Path
) -> None:
    script = f"{hidden(way, marker)}\necho > started\nsleep {marker}"
    running = asyncio.ensure_future(workspace.run(Command(argv=("sh", "-c", script))))
    await said(started)
    await until_marked(marker, running)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marked(marker) == []


async def test_cancelling_again_and_again_ends_all_first(
    workspace: Workspace, marker: str, started: Path
) -> None:
    script = f"echo > started; setsid -f sleep {marker}; sleep {marker}"
    running = asyncio.ensure_future(workspace.run(Command(argv=("sh", "-c", script))))
    await said(started)
    while not running.done():
        running.cancel()
        await asyncio.wait({running}, timeout=0.0001)
    assert running.cancelled()
    assert marked(marker) == []


async def test_cancelling_at_any_moment_of_the_start_leaves_nothing(
    workspace: Workspace, marker: str
) -> None:
    for delay_ms in range(0, 40, 2):
        running = asyncio.ensure_future(workspace.run(Command(argv=("sleep", marker))))
        await asyncio.wait({running}, timeout=delay_ms / 1000)
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()
        assert marked(marker) == []


async def test_closing_the_sandbox_ends_its_commands(
    sandbox: Sandbox, workspace: Workspace, marker: str, started: Path
) -> None:
    script = f"setsid -f sleep {marker}; echo > started; sleep {marker}"
    running = asyncio.ensure_future(workspace.run(Command(argv=("sh", "-c", script))))
    await said(started)
    await sandbox.close()
    assert marked(marker) == []
    assert (await running).exit_code == 137


async def test_closing_reaches_commands_of_another_event_loop(
    sandbox: Sandbox, workspace: Workspace, marker: str, started: Path
) -> None:
    command = Command(argv=("sh", "-c", f"echo > started; sleep {marker}"))
    running = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(workspace.run(command))))
    await said(started)
    await sandbox.close()
    assert marked(marker) == []
    assert (await running).exit_code == 137


async def test_the_death_of_the_service_ends_its_commands(
    mode: str, tmp_path: Path, marker: str, started: Path
) -> None:
    script = f"setsid -f sleep {marker}; echo > started; sleep {marker}"
    arguments = (mode, str(tmp_path / "jobs"), script)
    service = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVICE, *arguments)
    await said(started)
    service.kill()
    await service.wait()
    while running := marked(marker):
        assert has_ended(running[0])


async def test_a_flood_of_output_is_bounded_and_leaves_the_service_responsive(
    workspace: Workspace, marker: str
) -> None:
    command = Command(argv=("yes", marker), timeout_s=1.0, output_limit_bytes=10_000)
    flooding = asyncio.ensure_future(workspace.run(command))
    turns = 0
    while not flooding.done():
        await asyncio.wait({flooding}, timeout=0.001)
        turns += 1
    result = await flooding
    assert turns > 20
    assert (result.exit_code, len(result.output)) == (None, 10_000)
    assert result.dropped_bytes > 1_000_000
    assert marked(marker) == []


async def test_no_descriptor_is_left_open(workspace: Workspace) -> None:
    await workspace.run(Command(argv=("true",)))
    before = len(os.listdir("/proc/self/fd"))
    for argv in (("true",), ("no-such-program",), ("yes",)) * 3:
        await workspace.run(Command(argv=argv, timeout_s=0.3))
        await workspace.list_files()
    assert len(os.listdir("/proc/self/fd")) == before
