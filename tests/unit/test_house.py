import subprocess
import sys
from pathlib import Path

import pytest

from tools.house.__main__ import check
from tools.house.source import SourceFile

ROOT = Path(__file__).parents[2]
SERVICE = "src/cofounder/services/jobs.py"
DOMAIN = "src/cofounder/domain/jobs.py"
TEST = "tests/unit/test_jobs.py"

# Written in two parts, so that this file keeps the rule itself.
REGISTRY_HOST = "https://pypi." + "org/simple"
MACHINE_FOLDER = "/ro" + "ot/project"
PERSONAL_FOLDER = "/ho" + "me/ada/project"


def rules_broken(path: str, text: str) -> set[str]:
    return {violation.rule for violation in check([SourceFile(path=path, text=text)])}


BROKEN = [
    ("clock", SERVICE, "import datetime as d\nd.datetime.now(d.UTC)"),
    ("clock", SERVICE, "from datetime import datetime as D\nstamp = D.utcnow"),
    ("clock", SERVICE, "from datetime import date\ndate.today()"),
    ("clock", SERVICE, "from time import monotonic as tick"),
    ("clock", SERVICE, "import time\nnap = time\nnap.sleep(1)"),
    ("clock", SERVICE, "import time\ntime.perf_counter_ns()"),
    ("clock", SERVICE, "import asyncio\nrest = asyncio.sleep"),
    ("loop-clock", SERVICE, "import asyncio\nloop = asyncio.get_running_loop()\nloop.time()"),
    ("environment", SERVICE, "import os\nos.environ['HOME']"),
    ("environment", SERVICE, "from os import getenv as ask"),
    ("environment", "src/cofounder/adapters/clock.py", "import os as o\no.environ.get('HOME')"),
    ("randomness", SERVICE, "import random"),
    ("randomness", DOMAIN, "from uuid import uuid4"),
    ("randomness", "src/cofounder/agent/guard.py", "import secrets\nsecrets.token_hex()"),
    ("any", SERVICE, "from typing import Any"),
    ("any", SERVICE, "import typing as t\nrow: dict[str, t.Any] = {}"),
    ("foreign-import", DOMAIN, "import structlog"),
    ("foreign-import", DOMAIN, "import json\nfrom sqlalchemy.orm import Session"),
    ("late-import", SERVICE, "def f():\n    import json"),
    ("late-import", SERVICE, "async def f():\n    # One reason.\n    import a\n\n    import b"),
    ("function-length", SERVICE, "def f():\n" + "    pass\n" * 50),
    ("frozen", DOMAIN, "from dataclasses import dataclass\n@dataclass\nclass A: ..."),
    ("frozen", DOMAIN, "import dataclasses\n@dataclasses.dataclass(frozen=True)\nclass A: ..."),
    ("broad-except", SERVICE, "try: pass\nexcept: pass"),
    ("broad-except", SERVICE, "try: pass\nexcept Exception as error: pass  #"),
    ("broad-except", TEST, "try: pass\nexcept (OSError, BaseException): pass"),
    ("broad-except", SERVICE, "import contextlib\nwith contextlib.suppress(Exception): pass"),
    ("suppression", SERVICE, "a = 1  # type: ignore[assignment]"),
    ("suppression", TEST, "a = 1  # noqa: E501, F841"),
    ("suppression", SERVICE, "# ruff: noqa\n"),
    ("suppression", SERVICE, "# mypy: ignore-errors\n"),
    ("syntax", SERVICE, "def f(:"),
    ("test-wait", TEST, "import asyncio\nasyncio.sleep(0.1)"),
    ("test-wait", TEST, "from time import sleep as nap"),
    ("test-patch", TEST, "from unittest.mock import patch"),
    ("test-patch", TEST, "import unittest.mock"),
    ("test-patch", TEST, "def test_a(monkeypatch): monkeypatch.setattr('a.b', 1)"),
    ("test-skip", TEST, "import pytest\n@pytest.mark.skip\ndef test_a(): ..."),
    ("test-skip", TEST, "import pytest\n@pytest.mark.skipif(True)\ndef test_a(): ..."),
    ("test-skip", TEST, "import pytest\n@pytest.mark.xfail(reason='')\ndef test_a(): ..."),
    ("test-skip", TEST, "from pytest import skip\nskip()"),
    ("name", "src/cofounder/services/utils.py", ""),
    ("name", "tests/unit/helpers/fakes.py", ""),
    ("name", "tools/sandbox_common.py", ""),
    ("name", "dashboard/src/lib/utils.ts", ""),
    ("room", "src/cofounder/shed/tools.py", ""),
    ("file-length", SERVICE, "pass\n" * 401),
    ("file-length", "dashboard/src/app/page.tsx", "<p />\n" * 251),
    ("address", "README.md", f"Fetch it from {REGISTRY_HOST}."),
    ("address", "deploy/unit.conf", f"WorkingDirectory={MACHINE_FOLDER}"),
    ("address", "docs/setup.md", f"Go to `{PERSONAL_FOLDER}`."),
    ("lock-address", "requirements/dev.txt", "--index-url https://example.org/simple"),
    ("lock-address", "requirements/dev.txt", "a @ file:wheels/a.whl"),
    ("lock-address", "dashboard/package-lock.json", '"resolved": "https://example.org/a.tgz"'),
]

KEPT = [
    ("src/cofounder/adapters/clock.py", "import time\ntime.sleep(1)"),
    ("src/cofounder/settings.py", "import os\nos.environ['HOME']"),
    ("src/cofounder/adapters/sql/store.py", "import random\nfrom typing import Any"),
    (SERVICE, "from datetime import datetime, time\ndef f(time, c): return time.hour, c.now()"),
    (
        SERVICE,
        "def f():\n    # Slow to import, and start-up must be fast.\n    import a\n    import b",
    ),
    (SERVICE, "def f():\n" + "    pass\n" * 49),
    (SERVICE, "try: pass\nexcept Exception: pass  # a broken listener must not stop others"),
    (SERVICE, "try: pass\nexcept BaseException:\n    tidy_up()\n    raise"),
    ("src/cofounder/adapters/sandbox/run.py", "import asyncio\nasyncio.get_running_loop().time()"),
    (SERVICE, "import contextlib\nwith contextlib.suppress(KeyError): pass"),
    (SERVICE, "a = 1  # type: ignore[misc]  # the stub lacks this overload"),
    (SERVICE, "from dataclasses import dataclass\n@dataclass\nclass Running: ..."),
    (
        DOMAIN,
        "from dataclasses import dataclass\n@dataclass(frozen=True, kw_only=True)\nclass A: ...",
    ),
    (DOMAIN, "import json\nfrom pydantic import BaseModel\nfrom cofounder.domain.ids import JobId"),
    (TEST, "def test_a(monkeypatch): monkeypatch.setenv('A', 'b')"),
    (
        TEST,
        "import pytest\nno = pytest.mark.skipif(True, reason='no Redis here')\npytest.skip('no')",
    ),
    ("bench/loop.py", "import time\ntime.sleep(1)"),
    ("src/cofounder/adapters/sql/ledger.py", "pass\n" * 400),
    ("docs/setup.md", "https://example.org/root/a and src/work/a and ~/project"),
    (
        "requirements/dev.txt",
        "a==1 ; python_version < '3.12' \\\n    --hash=sha256:00\n    # via b",
    ),
]


@pytest.mark.parametrize(("rule", "path", "text"), BROKEN, ids=[rule for rule, *_ in BROKEN])
def test_a_rule_fires(rule: str, path: str, text: str) -> None:
    assert rules_broken(path, text) == {rule}


@pytest.mark.parametrize(("path", "text"), KEPT, ids=[path for path, _ in KEPT])
def test_what_is_allowed_is_not_reported(path: str, text: str) -> None:
    assert rules_broken(path, text) == set()


def test_a_violation_is_one_line_that_says_what_to_do() -> None:
    (violation,) = check([SourceFile(path=SERVICE, text="\nimport random\n")])
    assert str(violation) == (
        f"{SERVICE}:2: randomness: take a ports.clock.Ids; only adapters draw random numbers"
    )


def run_in(folder: Path) -> subprocess.CompletedProcess[str]:
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    program = [sys.executable, "-m", "tools.house", str(folder)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_program_looks_at_files_that_git_would_add(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("ignored/\n")
    for folder in ("ignored", "tools"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "misc.py").write_text("")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff")
    run = run_in(tmp_path)
    assert run.stdout.splitlines() == [
        "tools/misc.py:1: name: 'misc' says nothing: name the thing it knows"
    ]
    assert run.returncode == 1


def test_the_program_is_content_with_a_clean_tree(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Clean\n")
    run = run_in(tmp_path)
    assert (run.stdout, run.returncode) == ("1 files keep the house rules.\n", 0)
