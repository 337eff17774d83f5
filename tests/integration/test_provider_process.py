"""The strict provider as a process of its own, watched over HTTP."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

SCRIPT = {
    "default": [{"say": "Hello.", "faults": [{"kind": "status_429", "retry_after_s": 3}]}],
    "jobs": {"bakery": [{"tools": [{"name": "read", "input": {"path": "a"}}]}]},
}
HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[str]
    client: httpx2.Client

    def ask(self, words: str, model: str = "claude-sonnet-5") -> httpx2.Response:
        request = {
            "model": model,
            "max_tokens": 50,
            "stream": True,
            "messages": [{"role": "user", "content": words}],
        }
        return self.client.post("/v1/messages", json=request, headers=HEADERS)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(SCRIPT))
    program = [sys.executable, "-m", "cofounder.testing.provider", "--api-key", "k"]
    with subprocess.Popen(
        [*program, "--script", str(script)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        with httpx2.Client(base_url=ready["base_url"]) as client:
            yield Running(process, client)
        process.kill()


def test_it_plays_a_file_and_tells_what_happened(running: Running) -> None:
    refused = running.ask("Hi")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    answer = running.ask("Hi")
    assert answer.status_code == 200
    assert '"path' in running.ask("A bakery site").text
    assert running.ask("Hi", model="nobody").status_code == 404
    bill = running.client.get("/_bill").json()
    assert bill[0]["provider_request_id"] == answer.headers["request-id"]
    assert bill[0]["usage"] == {
        "input_tokens": 1,
        "output_tokens": 2,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
    }
    # 1 token at $2 and 2 at $10 a million.
    assert bill[0]["amount_usd_micros"] == 22
    assert [row["conversation"].split(":")[0] for row in bill] == ["default", "bakery"]
    requests = running.client.get("/_requests").json()
    assert [row["fault"] for row in requests] == ["status_429", None, None]
    (refusal,) = running.client.get("/_refusals").json()
    assert refusal["status"] == 404


def test_its_script_can_be_replaced(running: Running) -> None:
    assert running.client.put("/_script", json={"default": [{"say": "New."}]}).status_code == 200
    assert "New." in running.ask("Hi").text
    assert running.client.put("/_script", json={"default": [{"faults": 1}]}).status_code == 400
    assert "New." in running.ask("Hi").text
    assert running.client.get("/_nothing").status_code == 404


def test_it_ends_when_it_is_told_to(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=10) == 0
