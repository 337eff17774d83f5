from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cofounder.adapters.auth.token_file import TokenFile
from cofounder.domain.errors import ConfigurationError
from cofounder.testing.auth import StaticTokens


def test_a_token_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = TokenFile(path).token
    assert len(token) >= 43
    assert path.stat().st_mode & 0o777 == 0o600
    assert TokenFile(path).token == token
    assert list(tmp_path.iterdir()) == [path]


def test_of_many_starts_at_once_one_token_stays(tmp_path: Path) -> None:
    files = [TokenFile(tmp_path / "token") for _ in range(32)]
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda file: file.token, files))
    assert len(tokens) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["token"]


def test_a_token_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("known\n")
    path.chmod(0o644)
    assert TokenFile(path).token == "known"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refused:
        _ = TokenFile(path).token
    assert "delete" in refused.value.cure.lower()


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="token"):
        _ = TokenFile(tmp_path / "missing" / "token").token


def test_only_the_token_names_the_local_owner(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "token")
    assert file.owner_of(file.token) == "local"
    for wrong in ("", "x", file.token[:-1], file.token + " ", "t\xf6ken", "\ud800"):
        assert file.owner_of(wrong) is None


def test_static_tokens_tell_owners_apart() -> None:
    auth = StaticTokens({"t1": "ada", "t2": "bob"})
    assert [auth.owner_of(token) for token in ("t1", "t2", "t3", "", "\ud800")] == [
        "ada",
        "bob",
        None,
        None,
        None,
    ]
