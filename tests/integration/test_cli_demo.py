"""The demo: its whole story unattended, and its question on a terminal."""

import json
import signal
from pathlib import Path

import pytest

from tests.integration.cli_process import cli_in
from tests.integration.cli_terminal import NORMAL, on_terminal

pytestmark = pytest.mark.timeout(240)


def test_the_story_ends_with_one_line_of_json(tmp_path: Path) -> None:
    data_dir = tmp_path / "demo"
    cli = cli_in(tmp_path / "home")
    (tmp_path / "home").mkdir()
    ended = cli(
        "demo", "--no-browser", "--exit-when-done", "--port", "0", "--data-dir", str(data_dir)
    )
    assert ended.code == 0, ended.err
    (line,) = ended.out.splitlines()
    summary = json.loads(line)
    assert summary["state"] == "completed"
    assert summary["escalations"] == 1
    assert summary["sleeps"] >= 1
    assert summary["wakes"] >= 1
    assert summary["iterations"] > 1
    assert summary["spent_usd_micros"] > 0
    assert summary["data_dir"] == str(data_dir)
    assert summary["url"].startswith("http://127.0.0.1:")
    assert "README.md" in summary["files"]
    assert "Asks for a decision" in ended.err
    assert "Goes to sleep" in ended.err


def test_whoever_watches_may_choose(tmp_path: Path) -> None:
    cli = cli_in(tmp_path)
    with on_terminal(cli, "demo", "--port", "0", "--data-dir", str(tmp_path / "demo")) as terminal:
        terminal.until("Your choice: [1]")
        terminal.type("x1")
        terminal.until("Decided")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 130
        assert terminal.has_its_settings_back()
        assert NORMAL in terminal.shown
        assert "Traceback" not in terminal.shown
    assert "first" in terminal.shown.rpartition("Decided")[2]
