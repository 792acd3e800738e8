"""Files of every format read once: their hash, their rows, and what is wrong with them."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery import data_file_check
from dp_assets.adapters.recovery.data_file_check import Content, read_content
from dp_assets.adapters.recovery.puffin_vectors import Place
from dp_assets.ports.recovery import FileKind, ReachableFile
from dp_assets_tests.adapters.delete_files import (
    avro_deletes,
    orc_deletes,
    parquet_deletes,
    puffin,
    vector,
)

PAIRS = [(f"/data/{n}.parquet", n) for n in range(7)]


def read(path: Path, file_format: str, **changes) -> Content:
    kind = FileKind.DELETION_VECTORS if file_format == "PUFFIN" else FileKind.DATA
    file = ReachableFile(str(path), kind, format=file_format)
    counted: list[int] = []
    found = read_content(LocalLakeFiles(), file, stop=Event(), on_bytes=counted.append, **changes)
    assert sum(counted) == found.size == path.stat().st_size
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    return found


FORMATS = pytest.mark.parametrize(
    ("file_format", "made"),
    [("PARQUET", parquet_deletes), ("AVRO", avro_deletes), ("ORC", orc_deletes)],
)


@FORMATS
def test_rows_are_counted(tmp_path: Path, file_format: str, made: Callable[..., bytes]):
    path = tmp_path / "file"
    path.write_bytes(made(PAIRS))
    found = read(path, file_format)
    assert (found.rows, found.problem) == (7, "")


@FORMATS
def test_a_cut_end_is_said_and_the_rest_still_hashed(
    tmp_path: Path, file_format: str, made: Callable[..., bytes]
):
    path = tmp_path / "file"
    path.write_bytes(made(PAIRS)[:-1])
    found = read(path, file_format)
    assert found.rows is None
    assert found.problem


def test_a_large_parquet_file_and_a_large_footer(tmp_path: Path, monkeypatch):
    path = tmp_path / "file"
    pq.write_table(pa.table({f"c{n}": range(5000) for n in range(40)}), path, compression="none")
    monkeypatch.setattr(data_file_check, "TAIL_BYTES", 64 << 10)
    monkeypatch.setattr(data_file_check, "CHUNK_BYTES", 16 << 10)
    assert path.stat().st_size > 4 * (64 << 10)
    assert read(path, "PARQUET").rows == 5000
    monkeypatch.setattr(data_file_check, "TAIL_BYTES", 64)
    monkeypatch.setattr(data_file_check, "CHUNK_BYTES", 32)
    assert read(path, "PARQUET").rows == 5000


def test_a_tiny_file_is_damage_and_no_crash(tmp_path: Path):
    path = tmp_path / "file"
    for content in (b"P", b"PAR1", b"PAR1PAR1", b"\xff" * 12):
        path.write_bytes(content)
        for file_format in ("PARQUET", "AVRO", "ORC"):
            assert read(path, file_format).problem


def test_a_vectors_checksum_is_looked_at(tmp_path: Path):
    path, blob = tmp_path / "file", vector([1, 5])
    content, offsets = puffin({"/data/1.parquet": blob})
    place = Place(offsets[0], len(blob), 2)
    path.write_bytes(content)
    assert not read(path, "PUFFIN", vectors=[place]).problem
    damaged = bytearray(content)
    damaged[offsets[0] + 12] ^= 1
    path.write_bytes(damaged)
    assert "checksum" in read(path, "PUFFIN", vectors=[place]).problem
