"""The spool's folder: what a kill, a bad disk and a set clock do to it."""

import errno
import os
from pathlib import Path

import pytest

from dp_assets.adapters.spool import DAMAGED, FolderSpool
from dp_assets.core.ids import TableId

RESULTS = TableId("ops", "results")
ROWS = [{"n": 1, "text": "one"}, {"n": 2, "text": "two"}]


@pytest.fixture
def spool(tmp_path: Path) -> FolderSpool:
    return FolderSpool(tmp_path, now_ms=lambda: 1_700_000_000_000)


def only_file(spool: FolderSpool) -> Path:
    (batch,) = spool.pending(RESULTS)
    return batch.path


def test_a_batch_is_readable_text_on_the_disk_when_add_returns(
    spool: FolderSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: list[str] = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    spool.add(RESULTS, ROWS)
    parent, file, folder = synced
    assert (parent, folder) == (tmp_path.name, "ops.results")
    assert file.endswith(".tmp")
    path = only_file(spool)
    assert path.parent == tmp_path / "ops.results"
    assert path.read_text() == '{"n": 1, "text": "one"}\n{"n": 2, "text": "two"}\n'


def test_order_survives_a_clock_that_is_set_back(tmp_path: Path):
    times = iter([5_000_000_000_000, 4_000_000_000_000, 4_000_000_000_000])
    spool = FolderSpool(tmp_path, now_ms=lambda: next(times))
    for number in range(3):
        spool.add(RESULTS, [{"n": number}])
    assert spool.read(spool.pending(RESULTS)) == [{"n": 0}, {"n": 1}, {"n": 2}]


def truncate_in_line(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def truncate_at_line(path: Path) -> None:
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"two", b"twx"))


def rename(path: Path) -> None:
    path.rename(path.with_name("copy.jsonl"))


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate_in_line, "1 whole lines, 2 were written"),
        (truncate_at_line, "1 whole lines, 2 were written"),
        (empty, "0 whole lines, 2 were written"),
        (flip, "checksum"),
        (rename, "the name is not that of a batch"),
        (make_folder, "unreadable: Is a directory"),
    ],
)
def test_a_damaged_batch_is_moved_aside_with_its_reason_and_blocks_nothing(
    spool: FolderSpool, tmp_path: Path, damage, reason: str
):
    spool.add(RESULTS, ROWS)
    damage(only_file(spool))
    spool.add(RESULTS, [{"n": 3}])
    assert spool.read(spool.pending(RESULTS)) == [{"n": 3}]
    moved, why = sorted((tmp_path / DAMAGED / "ops.results").iterdir())
    assert why.name == f"{moved.name}.reason.txt"
    assert why.read_text().startswith(reason)
    spool.discard(spool.pending(RESULTS))
    assert spool.tables() == ()


def test_a_full_house_of_handles_moves_nothing(
    spool: FolderSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spool.add(RESULTS, ROWS)

    def too_many(_: Path) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", too_many)
        with pytest.raises(OSError, match="Too many open files"):
            spool.pending(RESULTS)
    assert spool.read(spool.pending(RESULTS)) == ROWS


def test_an_add_that_was_killed_left_nothing_that_counts(spool: FolderSpool, tmp_path: Path):
    spool.add(RESULTS, ROWS)
    unfinished = tmp_path / "ops.results" / ".0123456789abcdef.tmp"
    unfinished.write_bytes(b'{"n": 1')
    assert spool.read(spool.pending(RESULTS)) == ROWS
    assert unfinished.exists()


def test_a_batch_that_another_process_flushed_meanwhile_is_skipped(
    spool: FolderSpool, monkeypatch: pytest.MonkeyPatch
):
    spool.add(RESULTS, ROWS)
    spool.add(RESULTS, [{"n": 3}])
    first = spool.pending(RESULTS)[0].path
    read = Path.read_bytes

    def read_after_other(path: Path) -> bytes:
        first.unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", read_after_other)
    assert spool.read(spool.pending(RESULTS)) == [{"n": 3}]
