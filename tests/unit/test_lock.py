import shutil
from pathlib import Path

import pytest

from tools.lock import LOCKS, ROOT, digest, header, stale


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with this project's description and fresh lock files."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "requirements").mkdir()
    for name in LOCKS:
        (tmp_path / "requirements" / name).write_text(header(tmp_path / "pyproject.toml"))
    return tmp_path


def edit(project: Path, old: str, new: str) -> None:
    path = project / "pyproject.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_what_was_just_locked_is_fresh(project: Path) -> None:
    assert stale(project) == []


@pytest.mark.parametrize("old", ["structlog>=", "pytest>=", "hatchling>=", '">=3.11'])
def test_another_dependency_makes_the_lock_files_stale(project: Path, old: str) -> None:
    edit(project, old, f"{old}99.")
    assert stale(project) == [f"requirements/{name}" for name in LOCKS]


def test_a_setting_of_a_tool_does_not(project: Path) -> None:
    before = digest(project / "pyproject.toml")
    edit(project, "line-length = 100", "line-length = 99")
    assert digest(project / "pyproject.toml") == before
    assert stale(project) == []


def test_a_missing_lock_file_is_stale(project: Path) -> None:
    (project / "requirements" / "dev.txt").unlink()
    assert stale(project) == ["requirements/dev.txt"]
