"""Which isolation is chosen, and that without any no command is run."""

import os
from pathlib import Path

import pytest

from cofounder.adapters.sandbox import Programs, SandboxReport, open_sandbox, probe
from cofounder.domain.errors import (
    ConfigurationError,
    InvalidInputError,
    SandboxUnavailableError,
)
from cofounder.ports.sandbox import Command, Isolation

pytestmark = pytest.mark.anyio

NO_BWRAP = Programs(bwrap="no-such-bwrap")
NEITHER = Programs(bwrap="no-such-bwrap", python="no-such-python")


async def needs(mode: str) -> SandboxReport:
    report = await probe(mode)
    if report.isolation is None:
        pytest.skip(f"{mode} does not work here: {report.detail}")
    return report


async def test_bubblewrap_is_preferred(tmp_path: Path) -> None:
    await needs("bubblewrap")
    assert (await probe("auto")).isolation is Isolation.FULL
    assert (await open_sandbox("auto", tmp_path)).isolation is Isolation.FULL


async def test_without_bubblewrap_the_reduced_mode_says_that_it_is_reduced(tmp_path: Path) -> None:
    await needs("landlock")
    sandbox = await open_sandbox("auto", tmp_path, programs=NO_BWRAP)
    assert sandbox.isolation is Isolation.REDUCED
    report = await probe("auto", programs=NO_BWRAP)
    assert report.isolation is Isolation.REDUCED
    assert "UDP is not" in report.detail
    assert "no-such-bwrap" in report.detail


@pytest.mark.parametrize("mode", ["auto", "bubblewrap", "landlock"])
async def test_without_isolation_nothing_is_opened(tmp_path: Path, mode: str) -> None:
    with pytest.raises(SandboxUnavailableError) as caught:
        await open_sandbox(mode, tmp_path, programs=NEITHER)
    assert "bubblewrap" in caught.value.cure
    report = await probe(mode, programs=NEITHER)
    assert report.isolation is None
    assert report.cure == caught.value.cure


async def test_a_program_that_does_not_isolate_is_no_sandbox(tmp_path: Path) -> None:
    # It would run the command in the open; it does not tell that a sandbox was made.
    impostor = tmp_path / "bwrap"
    impostor.write_text("#!/bin/sh\nexit 0\n")
    impostor.chmod(0o755)
    with pytest.raises(SandboxUnavailableError):
        await open_sandbox("bubblewrap", tmp_path / "jobs", programs=Programs(bwrap=str(impostor)))


async def test_a_sandbox_that_stops_working_refuses_its_commands(tmp_path: Path) -> None:
    await needs("bubblewrap")
    sandbox = await open_sandbox("bubblewrap", tmp_path / "jobs")
    workspace = await sandbox.open("job_1")
    (tmp_path / "jobs" / ".system" / "etc").rename(tmp_path / "etc")
    with pytest.raises(SandboxUnavailableError, match="The command was not run"):
        await workspace.run(Command(argv=("true",)))


async def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await open_sandbox("none", tmp_path)
    assert caught.value.field == "sandbox"


async def test_a_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError) as caught:
        await open_sandbox("auto", tmp_path / "file" / "jobs")
    assert str(tmp_path / "file" / "jobs") in caught.value.message
    assert "COFOUNDER_DATA_DIR" in caught.value.cure


async def test_a_job_whose_folder_cannot_be_made_is_named(tmp_path: Path) -> None:
    await needs("auto")
    sandbox = await open_sandbox("auto", tmp_path)
    (tmp_path / "job_1").write_text("in the way")
    with pytest.raises(ConfigurationError, match="job_1"):
        await sandbox.open("job_1")


async def test_workspaces_where_commands_may_read_are_refused() -> None:
    place = Path("/usr/local/lib/cofounder-test")
    if not os.access(place.parent, os.W_OK):
        pytest.skip("only an administrator can put workspaces there")
    try:
        with pytest.raises(ConfigurationError, match="every other one"):
            await open_sandbox("auto", place)
    finally:
        os.rmdir(place)
