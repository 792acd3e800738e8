"""What only a folder can meet: links, leftovers, full disks, limits, the order of syncing."""

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dp_assets.adapters.objects import local_objects
from dp_assets.adapters.objects.local_objects import LARGE_BYTES
from dp_assets.adapters.objects.object_store_local import LocalObjectStore, remove_leftovers
from dp_assets.core.errors import PermanentError, TransientError

KILLED = """
import os, signal, sys
from pathlib import Path
from dp_assets.adapters.objects.object_store_local import LocalObjectStore
with LocalObjectStore(Path(sys.argv[1])).upload() as upload:
    upload.write(bytes(1 << 20))
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def store(root: Path) -> LocalObjectStore:
    return LocalObjectStore(root)


def tree(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@contextmanager
def limit(kind: int, at_most: int) -> Generator[None]:
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (at_most, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def test_a_store_is_plain_files_and_nothing_else(store: LocalObjectStore, root: Path):
    store.create("a/b/c.json", b"1")
    store.put("a/b/c.json", b"2")
    with store.upload() as upload:
        upload.write(b"3")
        upload.commit("d")
    store.create("d", b"4")
    assert tree(root) == {"a/b/c.json": b"2", "d": b"3"}


def test_reading_makes_nothing(store: LocalObjectStore, root: Path):
    assert (list(store.list("")), store.size("a")) == ([], None)
    store.delete(["a/b"])
    assert not root.exists()


@pytest.mark.parametrize("key", ["objects/passwd", "objects/new/x"])
def test_no_link_leads_outside(store: LocalObjectStore, root: Path, tmp_path: Path, key: str):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "passwd").write_bytes(b"secret")
    root.mkdir()
    (root / "objects").symlink_to(outside)
    for act in (
        lambda: store.create(key, b"x"),
        lambda: store.put(key, b"x"),
        lambda: store.read(key),
        lambda: store.size(key),
        lambda: store.delete([key]),
        lambda: list(store.list("objects/")),
    ):
        with pytest.raises(PermanentError, match="by a symbolic link"):
            act()
    assert tree(outside) == {"passwd": b"secret"}
    assert [info.key for info in store.list("")] == []


def test_a_link_in_place_of_an_object_is_not_read(store: LocalObjectStore, root: Path):
    store.create("a/real", b"x")
    (root / "a/link").symlink_to("real")
    with pytest.raises(PermanentError, match="a symbolic link is in its place"):
        store.read("a/link")
    assert store.size("a/link") is None
    assert [info.key for info in store.list("")] == ["a/real"]
    store.put("a/link", b"y")
    assert (store.read("a/link"), store.read("a/real")) == (b"y", b"x")


def test_whole_keys_are_sorted_not_folders(store: LocalObjectStore):
    keys = ["a/1", "a-b", "a.json", "a=b/1", "b%2E/1"]
    for key in keys:
        store.put(key, b"")
    assert [info.key for info in store.list("")] == sorted(keys)


def test_what_systems_leave_around_is_not_listed(store: LocalObjectStore, root: Path):
    store.put("a/1", b"")
    for name in (".nfs0001", "a/.DS_Store", "a/with space", "tmp/0.tmp"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")
    (root / "lost+found").mkdir()
    assert [info.key for info in store.list("")] == ["a/1"]


def test_uploads_on_their_way_are_out_of_reach(store: LocalObjectStore):
    for act in (store.read, store.size, lambda key: store.put(key, b"")):
        with pytest.raises(PermanentError, match="is not a key"):
            act("tmp/x")


def test_leftovers_of_a_kill_are_found_by_age(store: LocalObjectStore, root: Path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(root)])
    assert killed.returncode == -signal.SIGKILL
    (leftover,) = tree(root)
    assert list(store.list("")) == []
    written_ms = (root / leftover).stat().st_mtime_ns // 1_000_000
    assert remove_leftovers(root, before_ms=written_ms) == ()
    assert remove_leftovers(root, before_ms=written_ms + 1) == (root / leftover,)
    assert tree(root) == {}
    assert remove_leftovers(root / "never", before_ms=written_ms) == ()


def test_a_leftover_that_was_still_written_fails_its_upload(store: LocalObjectStore, root: Path):
    with store.upload() as upload:
        upload.write(bytes(LARGE_BYTES))
        remove_leftovers(root, before_ms=1 << 42)
        with pytest.raises(TransientError, match="was removed meanwhile"):
            upload.commit("k")
    assert store.size("k") is None


def test_a_folder_that_was_removed_is_made_again(store: LocalObjectStore, root: Path):
    store.put("a/1", b"")
    (root / "a/1").unlink()
    (root / "a").rmdir()
    with pytest.raises(TransientError, match="was removed meanwhile"):
        store.put("a/2", b"")
    store.put("a/2", b"x")
    assert tree(root) == {"a/2": b"x"}


def test_a_file_that_outgrows_its_limit(store: LocalObjectStore, root: Path):
    """The stand-in for a full disk that needs no root: the kernel refuses the write half-way."""
    with limit(resource.RLIMIT_FSIZE, 1000), pytest.raises(PermanentError, match="too large"):
        store.put("k", b"x" * 2000)
    assert tree(root) == {}
    store.put("k", b"x" * 2000)
    assert tree(root) == {"k": b"x" * 2000}


def test_no_more_files_can_be_opened(store: LocalObjectStore):
    store.put("k", b"x")
    taken = os.open("/dev/null", os.O_RDONLY)
    os.close(taken)
    for act in (lambda: store.read("k"), lambda: store.create("n", b"")):
        with (
            limit(resource.RLIMIT_NOFILE, taken),
            pytest.raises(TransientError, match="too many open files"),
        ):
            act()
    assert (store.read("k"), store.size("n")) == (b"x", None)


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, PermanentError, "the disk is full"),
        (errno.EDQUOT, PermanentError, "quota"),
        (errno.EROFS, PermanentError, "read-only"),
        (errno.EIO, PermanentError, "input/output error"),
        (errno.EPERM, PermanentError, "not permitted"),
        (errno.ESTALE, TransientError, "network file system"),
        (errno.ENOTEMPTY, PermanentError, os.strerror(errno.ENOTEMPTY)),
    ],
)
def test_what_a_disk_says_becomes_a_verdict(
    store: LocalObjectStore, root: Path, monkeypatch, number: int, kind: type, words: str
):
    store.put("k", b"old")

    def refuse(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(kind, match=rf"write .*: .*{words}") as raised:
            store.put("k", b"new")
    assert str(root) in raised.value.what
    assert tree(root) == {"k": b"old"}


@pytest.mark.parametrize("replace", [False, True])
def test_bytes_then_name_then_folder(
    store: LocalObjectStore, root: Path, monkeypatch, replace: bool
):
    """Power loss: the name comes after its bytes are on the disk; the folder is synced last."""
    done: list[str] = []
    fsync, link, rename = os.fsync, os.link, os.rename

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        done.append("sync file" if path.suffix == ".tmp" else f"sync {path.name}")
        fsync(descriptor)

    def linked(source: str, target: str) -> None:
        done.append("name")
        link(source, target)

    def renamed(source: str, target: str) -> None:
        done.append("name")
        rename(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(local_objects.os, "link", linked)
    monkeypatch.setattr(local_objects.os, "rename", renamed)
    for key in ("a/1", "a/2"):
        with store.upload() as upload:
            upload.write(b"x")
            upload.commit(key, replace=replace)
    whole = ["sync file", "name", "sync a"]
    # The new folder's own name once, and not again for its second file.
    assert [step for step in done if step != f"sync {root.parent.name}"] == [
        "sync store",  # names tmp
        "sync store",  # names a
        *whole,
        *whole,
    ]
    assert tree(root) == {"a/1": b"x", "a/2": b"x"}
