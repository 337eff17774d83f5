"""A page of the workspace is looked at inside, where its links lead nowhere."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cofounder.adapters.sandbox import open_sandbox, probe
from cofounder.ports.sandbox import Command, CommandResult, Workspace

pytestmark = pytest.mark.anyio

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--log-level=3", "--window-size=1280,800"),
)
SHOT = ".cofounder/shot.png"


@pytest.fixture(params=["bubblewrap", "landlock"])
async def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Workspace]:
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    report = await probe(request.param)
    if report.isolation is None:
        pytest.skip(f"{request.param} does not work here: {report.detail}")
    sandbox = await open_sandbox(request.param, tmp_path / "jobs")
    yield await sandbox.open("job_1")
    await sandbox.close()


async def browse(workspace: Workspace, words: str) -> CommandResult:
    script = f"exec chromium {' '.join(FLAGS)} {words}"
    return await workspace.run(Command(argv=("sh", "-c", script), timeout_s=60))


async def test_a_screenshot_is_made(workspace: Workspace) -> None:
    page = "<body style='background: teal'><script>document.title = 1 + 1</script><h1>Hello</h1>"
    await workspace.write("index.html", page.encode())
    result = await browse(workspace, f'--screenshot="$PWD/{SHOT}" "file://$PWD/index.html"')
    assert result.exit_code == 0, result.output
    picture = await workspace.read(SHOT)
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") == 1280
    assert [entry.path for entry in await workspace.list_files()] == ["index.html"]


async def test_a_page_cannot_show_files_of_the_host(workspace: Workspace) -> None:
    result = await browse(workspace, "--dump-dom file:///etc/shadow")
    assert b"root:" not in result.output
