from pathlib import Path

from cofounder.adapters.data_dir import DataDir


def test_it_is_held_as_long_as_a_service_runs_and_not_longer(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    assert not data_dir.is_held()
    with data_dir.held():
        assert DataDir(tmp_path).is_held()
    assert not data_dir.is_held()


def test_what_is_no_folder_is_not_held(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert not DataDir(tmp_path / "file").is_held()


def test_a_service_keeps_its_name(tmp_path: Path) -> None:
    name = DataDir(tmp_path).executor_id()
    assert len(name) == 32
    assert DataDir(tmp_path).executor_id() == name


def test_a_name_that_was_never_written_out_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "executor_id").write_text("")
    assert len(DataDir(tmp_path).executor_id()) == 32


def test_the_address_is_there_as_long_as_it_is_announced(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path)
    with data_dir.announced("http://127.0.0.1:1"):
        assert "http://127.0.0.1:1" in data_dir.service_file.read_text()
    assert list(tmp_path.iterdir()) == []
