import os
from pathlib import Path

import pytest

from dp_assets.adapters import local_files
from dp_assets.adapters.local_files import create_file, make_folders, move_file, replace_file


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was synced, in order."""
    names: list[str] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def is_temporary(name: str) -> bool:
    return name.endswith(local_files.TEMPORARY_SUFFIX)


def test_new_folders_are_synced_into_their_parents_and_old_ones_are_not(
    tmp_path: Path, synced: list[str]
):
    make_folders(tmp_path / "a" / "b")
    assert synced == [tmp_path.name, "a"]
    make_folders(tmp_path / "a" / "b")
    assert len(synced) == 2


def test_a_file_is_synced_before_it_gets_its_name_and_its_folder_after(
    tmp_path: Path, synced: list[str]
):
    for write in (replace_file, create_file):
        synced.clear()
        write(tmp_path / "x" / write.__name__, b"content")
        *folders, file, folder = synced
        assert folders in ([tmp_path.name], [])
        assert is_temporary(file)
        assert folder == "x"
    assert sorted(f.name for f in (tmp_path / "x").iterdir()) == ["create_file", "replace_file"]


def test_create_leaves_what_is_there(tmp_path: Path):
    path = tmp_path / "file"
    assert create_file(path, b"first")
    assert not create_file(path, b"second")
    assert [f.read_bytes() for f in tmp_path.iterdir()] == [b"first"]


def test_replace_takes_the_place_of_what_is_there(tmp_path: Path):
    path = tmp_path / "file"
    replace_file(path, b"first")
    replace_file(path, b"second")
    assert [f.read_bytes() for f in tmp_path.iterdir()] == [b"second"]


def test_a_name_as_long_as_allowed(tmp_path: Path):
    assert create_file(tmp_path / ("n" * 255), b"")


def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "file"
    replace_file(path, b"first")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for write in (replace_file, create_file):
        with pytest.raises(OSError, match="No space left"):
            write(path, b"second")
    assert [f.read_bytes() for f in tmp_path.iterdir()] == [b"first"]


def test_move_syncs_both_folders(tmp_path: Path, synced: list[str]):
    replace_file(tmp_path / "from" / "file", b"content")
    synced.clear()
    move_file(tmp_path / "from" / "file", tmp_path / "to" / "file")
    assert synced == [tmp_path.name, "to", "from"]
    assert (tmp_path / "to" / "file").read_bytes() == b"content"
    assert list((tmp_path / "from").iterdir()) == []
