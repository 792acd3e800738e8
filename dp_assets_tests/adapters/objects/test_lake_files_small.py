"""Small files of a table, written in one call: what is there stays, an error leaves nothing."""

import errno
import os
from pathlib import Path

import pytest

from dp_assets.adapters.objects.lake_files import CatalogFiles
from dp_assets.core.errors import PermanentError


@pytest.fixture
def files(tmp_path: Path) -> CatalogFiles:
    return CatalogFiles({}, tmp_dir=tmp_path / "tmp")


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_written_with_its_folders_and_nothing_beside_it(
    files: CatalogFiles, tmp_path: Path, *, durable: bool
):
    path = tmp_path / "table" / "data" / "a b%20.parquet"
    files.write(f"file://{path}", b"rows", durable=durable)
    assert path.read_bytes() == b"rows"
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_there_stays_unless_it_is_to_be_replaced(
    files: CatalogFiles, tmp_path: Path, *, durable: bool
):
    path = tmp_path / "x"
    path.write_bytes(b"mine")
    with pytest.raises(PermanentError, match="there is a file already"):
        files.write(str(path), b"other", durable=durable)
    assert path.read_bytes() == b"mine"
    files.write(str(path), b"other", replace=True, durable=durable)
    assert path.read_bytes() == b"other"


def test_a_full_disk_leaves_no_part_of_it(
    files: CatalogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    original = os.write

    def nearly_full(descriptor: int, data: bytes) -> int:
        if len(data) < 5:
            raise OSError(errno.ENOSPC, "full")
        return original(descriptor, data[:3])

    monkeypatch.setattr(os, "write", nearly_full)
    with pytest.raises(PermanentError, match="the disk is full"):
        files.write(str(tmp_path / "x"), b"12345", durable=False)
    assert not (tmp_path / "x").exists()


def test_a_call_that_takes_a_part_is_repeated(
    files: CatalogFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    original = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: original(descriptor, data[:2]))
    files.write(str(tmp_path / "x"), b"12345", durable=False)
    monkeypatch.undo()
    assert (tmp_path / "x").read_bytes() == b"12345"
