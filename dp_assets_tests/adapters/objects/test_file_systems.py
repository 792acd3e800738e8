"""Files made durable together: when that is possible, and what happens when it is not."""

import ctypes
import errno
import os
from pathlib import Path

import pytest

from dp_assets.adapters.objects import file_systems, large_file, local_objects, object_store_local
from dp_assets.adapters.objects.file_systems import can_sync_whole, sync_whole
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.objects.local_objects import LARGE_BYTES
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import MissingObjectError


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is synced by itself, by name; folders end in a slash."""
    found: list[str] = []
    fsync = os.fsync

    def seen(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        found.append(f"{path.name}/" if path.is_dir() else path.suffix)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    return found


def store(root: Path, content: bytes, *, key: str = "a/1") -> None:
    with LocalObjectStore(root).upload() as upload:
        upload.write(content)
        upload.commit(key, replace=True, durable=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a").mkdir()
    (tmp_path / "tmp").mkdir()
    return tmp_path


def test_small_files_are_left_to_the_barrier(root: Path, synced: list[str]):
    assert can_sync_whole()
    store(root, b"small")
    assert synced == []
    assert (root / "a/1").read_bytes() == b"small"


def test_large_files_that_wait_in_the_page_cache_are_synced_before(
    root: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(large_file, "O_DIRECT", 0)
    store(root, bytes(LARGE_BYTES))
    assert synced == [".tmp"]
    assert (root / "a/1").read_bytes() == bytes(LARGE_BYTES)


def test_what_replaces_a_file_is_durable_at_once(root: Path, synced: list[str]):
    (root / "a/1").write_bytes(b"old")
    store(root, b"new")
    assert synced == [".tmp", "a/"]
    assert (root / "a/1").read_bytes() == b"new"


def test_without_the_system_call_every_file_is_durable_at_once(
    root: Path, synced: list[str], monkeypatch: pytest.MonkeyPatch
):
    for module in (local_objects, object_store_local):
        monkeypatch.setattr(module, "can_sync_whole", lambda: False)
    store(root, b"small")
    assert synced == [f"{root.name}/", ".tmp", "a/"]


@pytest.mark.parametrize(
    ("system", "release", "can"),
    [
        ("linux", "6.1.0-13-amd64", True),
        ("linux", "5.8.0", True),
        ("linux", "5.7.19", False),
        ("linux", "4.18.0-553.el8", False),
        ("linux", "unheard of", False),
        ("darwin", "25.0.0", False),
    ],
)
def test_only_systems_that_tell_of_errors_are_trusted(
    system: str, release: str, *, can: bool, monkeypatch: pytest.MonkeyPatch
):
    names = os.uname_result(("", "", release, "", ""))
    monkeypatch.setattr(file_systems.sys, "platform", system)
    monkeypatch.setattr(file_systems.os, "uname", lambda: names)
    assert (file_systems._syncfs.__wrapped__() is not None) is can


def test_an_error_of_the_disk_is_raised(root: Path, monkeypatch: pytest.MonkeyPatch):
    def fails(_descriptor: int) -> int:
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(file_systems, "_syncfs", lambda: fails)
    with pytest.raises(PermanentError, match="input/output error"):
        sync_whole(root)
    with pytest.raises(PermanentError, match="input/output error"):
        LocalObjectStore(root).settle()
    with pytest.raises(PermanentError, match="input/output error"):
        LocalLakeFiles().settle([f"file://{root}/a"])


def test_a_file_that_vanished_is_not_called_durable(root: Path):
    with pytest.raises(MissingObjectError):
        LocalLakeFiles().settle([f"{root}/a/gone"])


def test_one_call_for_each_disk(root: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[int] = []
    monkeypatch.setattr(
        file_systems, "_syncfs", lambda: lambda descriptor: calls.append(descriptor) or 0
    )
    (root / "a/1").touch()
    LocalLakeFiles().settle([f"{root}/a", f"file:{root}/a/1", f"file://{root}"])
    assert len(calls) == 1
