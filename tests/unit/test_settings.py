"""Flags before environment before file before defaults; what is wrong is named."""

from pathlib import Path

import pytest

from cofounder.domain.errors import ConfigurationError
from cofounder.settings import DEFAULT_MODEL, isolated_settings, load_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and an environment without settings of this machine."""
    for name in ("MODEL", "PORT", "DATA_DIR", "CONFIG", "TIME_ZONE", "DATABASE_URL"):
        monkeypatch.delenv(f"COFOUNDER_{name}", raising=False)
    monkeypatch.setenv("COFOUNDER_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_nearest_word_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().model == DEFAULT_MODEL
    (folder / "cofounder.toml").write_text('model = "file"\nport = 1')
    assert load_settings().model == "file"
    monkeypatch.setenv("COFOUNDER_MODEL", "environment")
    assert load_settings().model == "environment"
    assert load_settings(model="flag").model == "flag"
    assert load_settings(model=None).port == 1


def test_an_isolated_one_reads_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFOUNDER_MODEL", "environment")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "secret")
    settings = isolated_settings(data_dir=folder)
    assert settings.model == DEFAULT_MODEL
    assert settings.anthropic_api_key is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('modle = "x"', "COFOUNDER_MODLE"),
        ("port = 70000", "COFOUNDER_PORT"),
        ('time_zone = "Mars/Olympus"', "COFOUNDER_TIME_ZONE"),
        ("model = ", "file"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(folder: Path, text: str, named: str) -> None:
    (folder / "cofounder.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=named) as caught:
        load_settings()
    assert caught.value.cure


def test_a_named_file_has_to_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COFOUNDER_CONFIG", str(folder / "none.toml"))
    with pytest.raises(ConfigurationError, match=r"none\.toml"):
        load_settings()
