"""`tools/env.sh` with a stand-in for uv, which is slow and needs the network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.lock import ROOT

UV = """#!/bin/sh
echo "$*" >>calls
case "$*" in
--version) echo uv ;;
venv*) rm -rf .venv && mkdir -p .venv/bin && ln -s /bin/sh .venv/bin/python ;;
esac
if [ -e "fail-at-$1" ]; then exit 7; fi
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("bin", "tools", "requirements"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "tools" / "env.sh", tmp_path / "tools")
    (tmp_path / "requirements" / "dev.txt").write_text("one\n")
    (tmp_path / "pyproject.toml").write_text("one\n")
    (tmp_path / "bin" / "uv").write_text(UV)
    (tmp_path / "bin" / "uv").chmod(0o755)
    return tmp_path


def run(project: Path) -> tuple[int, list[str]]:
    """Exit code, and what uv was asked to do."""
    calls = project / "calls"
    calls.write_text("")
    environment = {"PATH": f"{project}/bin{os.pathsep}{os.environ['PATH']}"}
    code = subprocess.run(
        ["sh", project / "tools" / "env.sh"], env=environment, check=False, timeout=30
    ).returncode
    asked = [line for line in calls.read_text().splitlines() if line != "--version"]
    return code, [" ".join(line.split()[:2]).removesuffix(" --quiet") for line in asked]


EVERYTHING = (0, ["venv", "pip sync", "pip install"])
NOTHING: tuple[int, list[str]] = (0, [])


def test_the_second_run_has_nothing_to_do(project: Path) -> None:
    assert run(project) == EVERYTHING
    assert run(project) == NOTHING


def test_another_lock_file_makes_it_anew(project: Path) -> None:
    run(project)
    (project / "requirements" / "dev.txt").write_text("two\n")
    assert run(project) == EVERYTHING


def test_another_pyproject_installs_the_project_again(project: Path) -> None:
    run(project)
    (project / "pyproject.toml").write_text("two\n")
    assert run(project) == (0, ["pip install"])
    assert run(project) == NOTHING


def test_a_moved_folder_makes_it_anew(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    run(project)
    moved = project.rename(tmp_path_factory.mktemp("elsewhere") / "project")
    assert run(moved) == EVERYTHING


@pytest.mark.parametrize("step", ["venv", "pip"])
def test_what_failed_half_way_is_made_anew(project: Path, step: str) -> None:
    (project / f"fail-at-{step}").touch()
    code, _ = run(project)
    assert code == 7
    (project / f"fail-at-{step}").unlink()
    assert run(project) == EVERYTHING


def test_a_python_that_is_gone_makes_it_anew(project: Path) -> None:
    run(project)
    (project / ".venv" / "bin" / "python").unlink()
    assert run(project) == EVERYTHING
