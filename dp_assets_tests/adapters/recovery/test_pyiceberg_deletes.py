"""Vectors that PyIceberg plans with, out of files that it alone would not read."""

from pathlib import Path

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import FileScanTask
from pyiceberg.table.puffin import PuffinFile
from pyiceberg.typedef import Record

from dp_assets.adapters.recovery.puffin_vectors import with_plain_footer
from dp_assets.adapters.recovery.pyiceberg_deletes import deleted_positions
from dp_assets_tests.adapters.delete_files import puffin, vector

A, B = "/w/a.parquet", "/w/b.parquet"
FIRST, SECOND = [1, 2, 3, 2**33], list(range(0, 5000, 7))
VECTORS = {A: vector(FIRST), B: vector(SECOND)}


def file(content: DataFileContent, path: str, file_format: FileFormat) -> DataFile:
    return DataFile.from_args(
        content=content,
        file_path=path,
        file_format=file_format,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=1,
    )


def test_a_compressed_footer_is_read(tmp_path: Path):
    content, _ = puffin(VECTORS, compressed=True)
    with pytest.raises(ValueError, match="compressed footer"):
        PuffinFile(content)
    path = tmp_path / "v.puffin"
    path.write_bytes(content)
    delete = file(DataFileContent.POSITION_DELETES, str(path), FileFormat.PUFFIN)
    data = [file(DataFileContent.DATA, name, FileFormat.PARQUET) for name in VECTORS]
    tasks = [FileScanTask(one, delete_files={delete}) for one in data]
    found = deleted_positions(PyArrowFileIO(), tasks)
    assert {name: list(rows) for name, rows in found.items()} == {A: FIRST, B: SECOND}


def test_a_footer_made_plain_says_the_same():
    plain, _ = puffin(VECTORS)
    packed, _ = puffin(VECTORS, compressed=True)
    assert with_plain_footer(plain) == plain
    assert with_plain_footer(packed) == plain
