"""What every sandbox does: bubblewrap, Landlock, and the shipped one in memory."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cofounder.adapters.sandbox import open_sandbox, probe
from cofounder.domain.errors import (
    InvalidInputError,
    SandboxPathError,
    SandboxUnavailableError,
)
from cofounder.ports.sandbox import Command, CommandResult, Isolation, Sandbox, Workspace
from cofounder.testing.sandbox import InMemorySandbox

pytestmark = pytest.mark.anyio


async def real_sandbox(mode: str, root: Path) -> Sandbox:
    report = await probe(mode)
    if report.isolation is None:
        pytest.skip(f"{mode} does not work here: {report.detail}")
    return await open_sandbox(mode, root)


@pytest.fixture(params=["bubblewrap", "landlock", "memory"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sandbox]:
    mode: str = request.param
    made = InMemorySandbox() if mode == "memory" else await real_sandbox(mode, tmp_path / "jobs")
    yield made
    await made.close()


@pytest.fixture
async def workspace(sandbox: Sandbox) -> Workspace:
    return await sandbox.open("job_1")


@pytest.fixture(params=["bubblewrap", "landlock"])
async def shell(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workspace]:
    """A workspace that really runs commands."""
    made = await real_sandbox(request.param, tmp_path / "jobs")
    yield await made.open("job_1")
    await made.close()


def sh(script: str, *, timeout_s: float = 30.0, limit: int = 100_000) -> Command:
    return Command(argv=("sh", "-c", script), timeout_s=timeout_s, output_limit_bytes=limit)


async def out(workspace: Workspace, script: str) -> str:
    result = await workspace.run(sh(script))
    assert result.exit_code == 0, result.output
    return result.output.decode()


async def test_the_mode_is_shown(sandbox: Sandbox, workspace: Workspace) -> None:
    assert sandbox.isolation in Isolation
    assert workspace.isolation is sandbox.isolation


async def test_what_is_written_is_read(workspace: Workspace) -> None:
    await workspace.write("src/app/main.py", b"one")
    await workspace.write("src/app/main.py", b"two, longer")
    assert await workspace.read("src/app/main.py") == b"two, longer"
    assert await workspace.read("src/app/main.py", limit_bytes=3) == b"two"
    assert await workspace.read("src/app/main.py", limit_bytes=0) == b""


async def test_a_large_file_is_read_as_far_as_asked(workspace: Workspace) -> None:
    content = os.urandom(3_000_000)
    await workspace.write("large.bin", content)
    assert await workspace.read("large.bin") == content
    assert await workspace.read("large.bin", limit_bytes=2_000_001) == content[:2_000_001]


async def test_the_path_that_commands_see_is_accepted(workspace: Workspace) -> None:
    await workspace.write("/workspace/a.txt", b"a")
    assert await workspace.read("a.txt") == b"a"
    assert await workspace.read("./b/../a.txt") == b"a"


@pytest.mark.parametrize("path", ["nothing", "no/such/file", "/workspace/nothing"])
async def test_a_missing_file_is_not_found(workspace: Workspace, path: str) -> None:
    with pytest.raises(FileNotFoundError):
        await workspace.read(path)


@pytest.mark.parametrize(
    "path",
    ["../x", "a/../../x", "/etc/passwd", "/workspace/../x", "/workspaces/x", "", ".", "..", "a\0b"],
)
async def test_a_path_outside_is_refused(workspace: Workspace, path: str) -> None:
    with pytest.raises(SandboxPathError):
        await workspace.read(path)
    with pytest.raises(SandboxPathError):
        await workspace.write(path, b"x")


async def test_a_folder_is_no_file_and_a_file_no_folder(workspace: Workspace) -> None:
    await workspace.write("folder/file", b"x")
    with pytest.raises(SandboxPathError):
        await workspace.read("folder")
    with pytest.raises(SandboxPathError):
        await workspace.write("folder", b"x")
    with pytest.raises(SandboxPathError):
        await workspace.write("folder/file/below", b"x")


async def test_files_are_listed_in_path_order_without_our_own(workspace: Workspace) -> None:
    for path in ("b/z", "a.txt", "b.txt", "b/a/c", ".git/config", "x/.git/HEAD", ".cofounder/log"):
        await workspace.write(path, b"12")
    listed = await workspace.list_files()
    assert [entry.path for entry in listed] == ["a.txt", "b.txt", "b/a/c", "b/z"]
    assert {entry.size_bytes for entry in listed} == {2}
    assert [entry.path for entry in await workspace.list_files(limit=2)] == ["a.txt", "b.txt"]


async def test_each_job_has_its_own_files_and_keeps_them(sandbox: Sandbox) -> None:
    await (await sandbox.open("one")).write("x", b"1")
    other = await sandbox.open("two")
    with pytest.raises(FileNotFoundError):
        await other.read("x")
    assert await (await sandbox.open("one")).read("x") == b"1"


@pytest.mark.parametrize("job_id", ["", ".", "..", "a/b", "a.b", "a\n", "ä"])
async def test_a_job_that_is_no_name_is_refused(sandbox: Sandbox, job_id: str) -> None:
    with pytest.raises(InvalidInputError):
        await sandbox.open(job_id)


async def test_a_closed_sandbox_opens_nothing(sandbox: Sandbox) -> None:
    await sandbox.close()
    with pytest.raises(SandboxUnavailableError):
        await sandbox.open("job_1")


async def test_a_command_that_succeeds(workspace: Workspace) -> None:
    result = await workspace.run(Command(argv=("true",)))
    assert (result.exit_code, result.output, result.dropped_bytes) == (0, b"", 0)
    assert result.duration_s >= 0


@pytest.mark.parametrize("argv", [(), ("",), ("echo", "a\0b")])
async def test_an_impossible_command_is_refused(
    workspace: Workspace, argv: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInputError):
        await workspace.run(Command(argv=argv))


async def test_a_command_starts_only_in_a_folder_inside(workspace: Workspace) -> None:
    await workspace.write("sub/file", b"")
    assert (await workspace.run(Command(argv=("true",), cwd="/workspace/sub"))).exit_code == 0
    with pytest.raises(FileNotFoundError):
        await workspace.run(Command(argv=("true",), cwd="missing"))
    with pytest.raises(SandboxPathError):
        await workspace.run(Command(argv=("true",), cwd="../.."))


async def test_a_scripted_answer_is_cut_like_real_output() -> None:
    def answer(command: Command) -> CommandResult:
        return CommandResult(exit_code=3, output=b"12345", dropped_bytes=0, duration_s=0.5)

    workspace = await InMemorySandbox(answer, isolation=Isolation.REDUCED).open("job_1")
    command = Command(argv=("make",), output_limit_bytes=2)
    assert await workspace.run(command) == CommandResult(
        exit_code=3, output=b"12", dropped_bytes=3, duration_s=0.5
    )
    assert workspace.commands == [command]


async def test_output_is_interleaved_and_input_is_empty(shell: Workspace) -> None:
    assert await out(shell, "echo 1; echo 2 >&2; cat; echo 3") == "1\n2\n3\n"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 7", 7), ("kill -KILL $$", 137), ("kill -TERM $$", 143)]
)
async def test_the_exit_code_is_the_shells(shell: Workspace, script: str, code: int) -> None:
    assert (await shell.run(sh(script))).exit_code == code


async def test_a_program_that_is_missing_or_no_program(shell: Workspace) -> None:
    missing = await shell.run(Command(argv=("no-such-program",)))
    assert (missing.exit_code, b"not found" in missing.output) == (127, True)
    await shell.write("data", b"")
    assert (await shell.run(Command(argv=("./data",)))).exit_code == 126


async def test_a_command_line_that_no_system_takes_is_refused(shell: Workspace) -> None:
    with pytest.raises(InvalidInputError):
        await shell.run(Command(argv=("echo", "x" * 1_000_000)))
    with pytest.raises(InvalidInputError):
        await shell.run(Command(argv=("echo", "\ud800")))


async def test_commands_and_the_service_see_the_same_files(shell: Workspace) -> None:
    await shell.write("sub/in.txt", b"hello")
    command = Command(argv=("sh", "-c", "cat in.txt > out.txt"), cwd="sub")
    assert (await shell.run(command)).exit_code == 0
    assert await shell.read("sub/out.txt") == b"hello"


async def test_a_file_keeps_its_permissions_and_a_new_one_is_plain(shell: Workspace) -> None:
    await shell.write("run.sh", b"#!/bin/sh\necho old")
    assert (await shell.run(Command(argv=("./run.sh",)))).exit_code == 126
    await shell.run(Command(argv=("chmod", "750", "run.sh")))
    await shell.write("run.sh", b"#!/bin/sh\necho new")
    assert await out(shell, "./run.sh; stat -c %a run.sh") == "new\n750\n"


async def test_a_reader_sees_the_old_content_or_the_new(shell: Workspace) -> None:
    contents = [letter * 400_000 for letter in (b"a", b"b")]
    await shell.write("file", contents[0])
    writing = asyncio.ensure_future(_write_in_turn(shell, contents))
    while not writing.done():
        assert await shell.read("file") in contents
    await writing


async def _write_in_turn(workspace: Workspace, contents: list[bytes]) -> None:
    for turn in range(20):
        await workspace.write("file", contents[turn % 2])


async def test_the_interpreter_and_git_work_inside(shell: Workspace) -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    assert await out(shell, "python3 -c 'import ssl, sqlite3; print(1)'; python3 -V") == (
        f"1\nPython {version}\n"
    )
    commit = "git init -q . && echo x > f && git add -A && git commit -qm first && git ls-files"
    assert await out(shell, commit) == "f\n"


async def test_output_beyond_the_limit_is_counted(shell: Workspace) -> None:
    result = await shell.run(sh("printf begin; head -c 5000000 /dev/zero", limit=1000))
    assert result.output == b"begin" + bytes(995)
    assert (result.exit_code, result.dropped_bytes) == (0, 4_999_005)


async def test_the_time_limit_keeps_what_was_said(shell: Workspace) -> None:
    result = await shell.run(sh("echo before; sleep 1000", timeout_s=1.0))
    assert (result.exit_code, result.output) == (None, b"before\n")
    assert 1.0 <= result.duration_s < 10


async def test_what_is_left_in_the_background_ends_with_the_command(shell: Workspace) -> None:
    result = await shell.run(sh("sleep 1000 & echo hi"))
    assert (result.exit_code, result.output) == (0, b"hi\n")
    assert result.duration_s < 10


async def test_commands_run_side_by_side(shell: Workspace) -> None:
    # Each waits for the other's file: one after the other, they would never end.
    scripts = [
        f"touch {own}; until [ -e {other} ]; do sleep 0.01; done"
        for own, other in (("a", "b"), ("b", "a"))
    ]
    results = await asyncio.gather(*(shell.run(sh(script)) for script in scripts))
    assert [result.exit_code for result in results] == [0, 0]


async def test_names_that_no_text_can_hold_are_not_listed(shell: Workspace) -> None:
    await out(shell, 'touch plain; python3 -c \'open(b"bad\\xff", "w")\'')
    assert [entry.path for entry in await shell.list_files()] == ["plain"]
