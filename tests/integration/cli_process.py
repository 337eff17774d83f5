"""The command line as its users run it: processes, against a service that runs for real."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cofounder.domain.json_types import JsonObject

PATIENCE_S = 60
PROGRAM = (sys.executable, "-m", "cofounder")

_QUESTION = {
    "name": "ask_founder",
    "input": {
        "problem": "Which colour shall the page have?",
        "tried": [{"approach": "Guessing", "result": "It looked wrong."}],
        "options": [
            {"id": "blue", "label": "Blue", "description": "Calm."},
            {"id": "red", "label": "Red", "description": "Loud.", "reversible": False},
        ],
        "recommended": "blue",
    },
}
_SAID = {"name": "narrate", "input": {"text": "I begin with the page.", "phase_name": "Page"}}
SCRIPT = {
    "default": [
        {"tools": [_SAID, _QUESTION]},
        {"say": "The rest depends on your answer."},
        {"tools": [{"name": "write_file", "input": {"path": "index.html", "content": "<p>"}}]},
        {"say": "The page is built."},
    ],
    "jobs": {"A page that takes long.": [{"say": "Hm.", "delay_s": 120}]},
}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> JsonObject:
        """What `--json` printed."""
        data: JsonObject = json.loads(self.out)
        return data


@dataclass(frozen=True, kw_only=True)
class Cli:
    """Runs commands for one data directory, in an environment of their own."""

    data_dir: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str) -> Ended:
        """Run one command to its end, without a terminal."""
        ended = subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            check=False,
        )
        return Ended(code=ended.returncode, out=ended.stdout, err=ended.stderr)

    def create(self, idea: str = "A page.") -> str:
        """A new job that will ask a question; returns its id."""
        created = self("run", idea, "--json")
        assert created.code == 0, created.err
        return str(created.data["job_id"])

    def created_and_waiting(self) -> tuple[str, str]:
        """A job that waits for an answer, and the decision that it waits for."""
        job_id = self.create()
        assert self("watch", job_id, "--until-idle").code == 4
        pending = self("status", job_id, "--json").data["pending_escalations"]
        assert isinstance(pending, list)
        return job_id, str(pending[0]["escalation_id"])


def cli_in(data_dir: Path, **environment: str) -> Cli:
    """Commands that know nothing of this machine's own settings."""
    plain = {"PATH": os.environ["PATH"], "HOME": str(data_dir), "LANG": "C.UTF-8", "TZ": "UTC"}
    return Cli(
        data_dir=data_dir,
        environment={**plain, "COFOUNDER_DATA_DIR": str(data_dir), **environment},
    )


@contextmanager
def provider(folder: Path) -> Iterator[str]:
    """The strict provider as a process; yields its address."""
    script = folder / "script.json"
    script.write_text(json.dumps(SCRIPT))
    program = [sys.executable, "-m", "cofounder.testing.provider", "--script", str(script)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(json.loads(process.stdout.readline())["base_url"])
        finally:
            process.kill()


@contextmanager
def service(cli: Cli, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`cofounder up`, from its banner on; killed at the end if it still runs."""
    with subprocess.Popen(
        [*PROGRAM, "up", *arguments],
        env=cli.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("Ctrl+C stops it"):
                    break
            else:
                raise AssertionError("the service did not start")
            yield process
        finally:
            process.kill()
