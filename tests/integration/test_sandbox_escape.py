"""What an agent that means harm tries from inside, and traps it lays for the service."""

import ctypes
import os
import shutil
import socket
import stat
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from cofounder.adapters.sandbox import open_sandbox, probe
from cofounder.adapters.sandbox.landlock_launcher import landlock_abi
from cofounder.domain.errors import SandboxPathError
from cofounder.ports.sandbox import Command, CommandResult, Isolation, Sandbox, Workspace

pytestmark = pytest.mark.anyio

SECRET = "canary-6f1e0b"


@pytest.fixture(params=["bubblewrap", "landlock"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandbox]:
    report = await probe(request.param)
    if report.isolation is None:
        pytest.skip(f"{request.param} does not work here: {report.detail}")
    made = await open_sandbox(request.param, tmp_path / "jobs")
    yield made
    await made.close()


@pytest.fixture
async def workspace(sandbox: Sandbox) -> Workspace:
    return await sandbox.open("job_1")


@pytest.fixture
def folder(workspace: Workspace, tmp_path: Path) -> Path:
    return tmp_path / "jobs" / "job_1"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of the host with a secret in it."""
    made = tmp_path / "outside"
    made.mkdir()
    (made / "secret").write_text(SECRET)
    return made


def only_full(workspace: Workspace) -> None:
    if workspace.isolation is not Isolation.FULL:
        pytest.skip("the reduced mode does not hold this, and says so")


def only_since(abi: int, workspace: Workspace) -> None:
    if workspace.isolation is Isolation.REDUCED and landlock_abi() < abi:
        pytest.skip(f"Landlock holds this from version {abi} of its interface on")


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@contextmanager
def host_process(environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"], env=environment) as process:
        yield process
        process.kill()


async def sh(workspace: Workspace, script: str) -> CommandResult:
    return await workspace.run(Command(argv=("sh", "-c", script), timeout_s=30.0))


async def refused(workspace: Workspace, script: str) -> bool:
    return (await sh(workspace, f"exec 2>&1; {script}")).exit_code != 0


# The service's own hands


async def test_a_link_out_is_neither_read_nor_written(
    workspace: Workspace, folder: Path, outside: Path
) -> None:
    (folder / "file").symlink_to(outside / "secret")
    (folder / "way").symlink_to(outside)
    (folder / "up").symlink_to("../..")
    (folder / "new").symlink_to(outside / "new")
    for path in ("file", "way/secret", "up/outside/secret"):
        with pytest.raises(SandboxPathError):
            await workspace.read(path)
    for path in ("file", "way/secret", "way/new", "way/deep/new", "up/outside/new", "new"):
        with pytest.raises(SandboxPathError):
            await workspace.write(path, b"harm")
    assert names(outside) == ["secret"]
    assert (outside / "secret").read_text() == SECRET


async def test_a_link_that_stays_inside_is_read_and_not_written_through(
    workspace: Workspace, folder: Path
) -> None:
    await workspace.write("a/real", b"x")
    (folder / "link").symlink_to("a/real")
    (folder / "b").symlink_to("a")
    assert await workspace.read("link") == await workspace.read("b/real") == b"x"
    await workspace.write("b/c/other", b"y")
    assert await workspace.read("a/c/other") == b"y"
    with pytest.raises(SandboxPathError):
        await workspace.write("link", b"z")


async def test_magic_links_and_absolute_links_are_refused(
    workspace: Workspace, folder: Path
) -> None:
    (folder / "root").symlink_to("/proc/self/root")
    (folder / "cwd").symlink_to("/proc/self/cwd")
    (folder / "passwd").symlink_to("/etc/passwd")
    for path in ("root/etc/passwd", "cwd/file", "passwd", "/proc/self/root/etc/passwd"):
        with pytest.raises(SandboxPathError):
            await workspace.read(path)
        with pytest.raises(SandboxPathError):
            await workspace.write(path, b"harm")


def swap(folder: Path, done: threading.Event) -> None:
    """Let `victim` be a folder and a link out in turn, each in one step."""
    exchange = ctypes.CDLL(None).renameat2
    victim, trap = os.fsencode(folder / "victim"), os.fsencode(folder / "trap")
    while not done.is_set():
        assert exchange(-100, victim, -100, trap, 2) == 0


@pytest.fixture
def swapped(folder: Path, outside: Path) -> Iterator[None]:
    (folder / "victim").mkdir()
    (folder / "victim" / "secret").write_text("harmless")
    (folder / "trap").symlink_to(outside)
    done = threading.Event()
    thread = threading.Thread(target=swap, args=(folder, done))
    thread.start()
    yield
    done.set()
    thread.join()


async def test_a_swapper_of_links_never_wins(
    swapped: None, workspace: Workspace, outside: Path
) -> None:
    outcomes: set[str] = set()
    for turn in range(2000):
        try:
            outcomes.add((await workspace.read("victim/secret")).decode())
            if turn % 10 == 0:
                await workspace.write("victim/new", b"harm")
                await workspace.list_files()
        except (SandboxPathError, FileNotFoundError) as error:
            outcomes.add(type(error).__name__)
    assert outcomes >= {"harmless", "SandboxPathError"}, "the race has not been run"
    assert SECRET not in outcomes
    assert names(outside) == ["secret"]


async def test_links_are_not_followed_by_a_listing(
    workspace: Workspace, folder: Path, outside: Path
) -> None:
    await workspace.write("a", b"")
    (folder / "out").symlink_to(outside)
    (folder / "loop").symlink_to(".")
    assert [entry.path for entry in await workspace.list_files()] == ["a"]


async def test_a_pipe_a_socket_and_a_device_are_no_files(
    workspace: Workspace, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)  # The path of a socket has 107 bytes at most.
    os.mkfifo("pipe")
    if os.geteuid() == 0:
        os.mknod("device", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in set(names(folder)) - {".cofounder"}:
            with pytest.raises(SandboxPathError):
                await workspace.read(name)
            with pytest.raises(SandboxPathError):
                await workspace.write(name, b"x")
    assert await workspace.list_files() == []


async def test_a_deep_or_wide_tree_does_not_hold_up_a_listing(workspace: Workspace) -> None:
    deep = (
        "import os\nfor _ in range(500):\n os.mkdir('d' * 20); os.chdir('d' * 20)\nopen('f', 'w')"
    )
    await workspace.write("deep.py", deep.encode())
    await sh(workspace, "mkdir wide; cd wide; seq 300 | xargs touch; cd ..; python3 deep.py")
    listed = [entry.path for entry in await workspace.list_files(limit=3)]
    await sh(workspace, "rm -r dddd*")
    assert listed == ["deep.py", "wide/1", "wide/10"]


async def test_git_never_runs_on_the_host(
    workspace: Workspace, folder: Path, outside: Path
) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    trap = f"#!/bin/sh\ntouch {outside}/ran; touch ran"
    await workspace.write("trap", trap.encode())
    planted = "chmod +x trap; git init -q .; git config core.fsmonitor ./trap"
    assert (await sh(workspace, planted)).exit_code == 0
    await workspace.write("a", b"1")
    await workspace.read("a")
    await workspace.list_files()
    assert not (folder / "ran").exists()
    assert (await sh(workspace, "git status")).exit_code == 0
    assert (folder / "ran").exists(), "inside, the trap works: it was a real one"
    assert not (outside / "ran").exists()


# From inside


async def test_files_of_the_host_are_not_visible(workspace: Workspace, outside: Path) -> None:
    for path in (outside / "secret", "/etc/shadow", "/etc/hostname"):
        result = await sh(workspace, f"cat {path} 2>/dev/null")
        assert (result.exit_code != 0, result.output) == (True, b"")
    assert await refused(workspace, f"ln {outside}/secret hard")
    assert await refused(workspace, f"ls {outside}")


async def test_a_link_out_leads_nowhere_inside(workspace: Workspace, outside: Path) -> None:
    result = await sh(workspace, f"ln -s {outside}/secret l; cat l; cat /proc/1/root{outside}/*")
    assert SECRET.encode() not in result.output
    assert (result.exit_code or 0) != 0


async def test_workspaces_do_not_see_each_other(
    sandbox: Sandbox, workspace: Workspace, folder: Path
) -> None:
    other = await sandbox.open("other")
    await other.write("secret", SECRET.encode())
    script = f"cat {folder.parent}/other/secret ../other/secret; ls {folder.parent} .."
    assert SECRET.encode() not in (await sh(workspace, script)).output
    await sh(workspace, f"echo harm > {folder.parent}/other/secret; rm -r ../other")
    assert await other.read("secret") == SECRET.encode()


async def test_nothing_outside_can_be_written(workspace: Workspace, outside: Path) -> None:
    for place in ("/x", "/usr/x", "/etc/x", "/dev/x", "/proc/x", outside / "x"):
        assert await refused(workspace, f"touch {place}")
    # Opened for appending, nothing written: as root this would change the host's kernel.
    for setting in ("kernel/core_pattern", "vm/overcommit_memory"):
        assert await refused(workspace, f": >> /proc/sys/{setting}")
    assert names(outside) == ["secret"]


async def test_no_power_is_left(workspace: Workspace) -> None:
    status = (await sh(workspace, "cat /proc/self/status")).output.decode()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(fields[name], 16) == 0 or (name == "CapBnd" and os.geteuid() != 0)
    assert fields["NoNewPrivs"] == "1"
    assert await refused(workspace, "chown 1:1 . ")
    assert await refused(workspace, "mount -t tmpfs none .")


async def test_no_namespaces_can_be_made(workspace: Workspace) -> None:
    only_full(workspace)
    assert await refused(workspace, "unshare --user --map-root-user true")


@pytest.mark.parametrize("where", ["command", "init", "others"])
async def test_secrets_of_the_service_are_not_in_any_environment(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    script = {
        "command": "env; true",
        "init": "cat /proc/1/environ; true",
        "others": "cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ; true",
    }[where]
    # Its environment is what /proc shows of a process from its start.
    with host_process({"KEY": SECRET}):
        result = await sh(workspace, script)
    assert SECRET.encode() not in result.output
    assert result.exit_code == 0


async def test_open_files_of_the_service_are_not_handed_on(workspace: Workspace) -> None:
    listed = await sh(workspace, "ls /proc/self/fd")
    assert listed.output.split() == [b"0", b"1", b"2", b"3"]


async def test_processes_of_the_host_cannot_be_killed(workspace: Workspace) -> None:
    only_since(6, workspace)
    with host_process() as other:
        assert await refused(workspace, f"kill -KILL {other.pid}")
        assert other.poll() is None


async def test_limits_hold(workspace: Workspace) -> None:
    script = (
        "import resource as r; print(*(r.getrlimit(k)[1] for k in "
        "(r.RLIMIT_CORE, r.RLIMIT_NOFILE, r.RLIMIT_FSIZE)))"
    )
    result = await workspace.run(Command(argv=("python3", "-c", script)))
    core, files, size = (int(word) for word in result.output.split())
    assert (core, files <= 4096, size <= 1 << 30) == (0, True, True)
    wide = await sh(workspace, "python3 -c \"open('f', 'wb').truncate((1 << 30) + 1)\"")
    assert wide.exit_code != 0


async def test_memory_folders_are_bounded(workspace: Workspace) -> None:
    only_full(workspace)
    result = await sh(workspace, "df -B1 --output=size /tmp /dev/shm | tail -n 2")
    assert [int(size) for size in result.output.split()] == [512 << 20, 256 << 20]


# The network


async def test_a_listener_on_the_host_cannot_be_reached(workspace: Workspace) -> None:
    only_since(4, workspace)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)"
        result = await workspace.run(Command(argv=("python3", "-c", script)))
        assert result.exit_code == 1, result.output
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_a_datagram_does_not_get_out(workspace: Workspace) -> None:
    only_full(workspace)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        address = server.getsockname()
        script = f"import socket as s; s.socket(2, 2).sendto(b'in', {address!r})"
        await workspace.run(Command(argv=("python3", "-c", script)))
        server.sendto(b"from the test", address)
        assert server.recv(100) == b"from the test"


async def test_abstract_sockets_of_the_host_cannot_be_reached(workspace: Workspace) -> None:
    only_since(6, workspace)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + SECRET)
        server.listen()
        script = f"import socket as s; s.socket(s.AF_UNIX).connect('\\0{SECRET}')"
        result = await workspace.run(Command(argv=("python3", "-c", script)))
        assert result.exit_code == 1
        assert b"Refused" in result.output or b"not permitted" in result.output
