"""A watch outlives the service that it watches."""

import signal
import subprocess
from pathlib import Path
from typing import IO

import pytest

from tests.integration.cli_process import PATIENCE_S, PROGRAM, cli_in, provider, service

pytestmark = pytest.mark.timeout(240)


def until(lines: IO[str], words: str) -> None:
    for line in lines:
        if words in line:
            return
    raise AssertionError(f"{words!r} was not shown")


def test_a_watch_goes_on_when_the_service_is_back(tmp_path: Path) -> None:
    with provider(tmp_path) as base_url:
        cli = cli_in(tmp_path / "d", ANTHROPIC_API_KEY="test-key", ANTHROPIC_BASE_URL=base_url)
        with service(cli, "--port", "0") as first:
            job_id, escalation_id = cli.created_and_waiting()
            watch = subprocess.Popen(
                [*PROGRAM, "watch", job_id], env=cli.environment, stdout=subprocess.PIPE, text=True
            )
            assert watch.stdout is not None
            until(watch.stdout, "Asks for a decision")
            first.send_signal(signal.SIGKILL)
            until(watch.stdout, "Connection lost")
        with service(cli, "--port", "0"):
            until(watch.stdout, "Connected again")
            assert cli("resolve", escalation_id, "blue").code == 0
            until(watch.stdout, "Decided: blue")
            until(watch.stdout, "Completed · The page is built.")
            assert watch.wait(PATIENCE_S) == 0
        watch.stdout.close()
