"""Deletion vectors: read as engines read them, and no damaged bit goes unseen."""

import json
import struct
import zlib
from pathlib import Path

import pytest
from pyiceberg.table.puffin import PuffinFile

from dp_assets.adapters.objects import seekable_copy
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.puffin_vectors import Place, Vector, read_vectors
from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, History
from dp_assets_tests.adapters.delete_files import puffin, vector
from dp_assets_tests.zoo import unpack_zoo

A, B = "/w/a.parquet", "/w/b.parquet"
FIRST, SECOND = [1, 2, 3, 2**33], list(range(0, 5000, 7))


def places(offsets: list[int], *counts: int) -> list[Place]:
    lengths = (len(vector(FIRST)), len(vector(SECOND)))
    return [
        Place(offset, length, count)
        for offset, length, count in zip(offsets, lengths, counts, strict=True)
    ]


def read(folder: Path, content: bytes, wanted: list[Place]) -> list[Vector]:
    path = folder / "v.puffin"
    path.write_bytes(content)
    found = read_vectors(LocalLakeFiles(), str(path), places=wanted)
    return [found[place] for place in wanted]


@pytest.mark.parametrize("compressed", [False, True], ids=["plain-footer", "packed-footer"])
def test_vectors_are_found_where_the_manifest_says(tmp_path, compressed):
    content, offsets = puffin({A: vector(FIRST), B: vector(SECOND)}, compressed=compressed)
    first, second = read(tmp_path, content, places(offsets, len(FIRST), len(SECOND)))
    assert (list(first.positions), first.footer_path) == (FIRST, A)
    assert (list(second.positions), second.footer_path) == (SECOND, B)


def test_a_footer_that_names_no_data_file_is_told(tmp_path):
    content, offsets = puffin({A: vector(FIRST)})
    silent = content.replace(b"referenced-data-file", b"referenced-data-fill")
    (found,) = read(tmp_path, silent, [Place(offsets[0], len(vector(FIRST)), len(FIRST))])
    assert found.footer_path == ""


def test_spark_wrote_what_pyiceberg_reads(tmp_path):
    zoo = unpack_zoo(tmp_path)
    closure = read_closure(zoo.files, zoo.table("v3_dv"), history=History.ALL)
    vectors = {
        (entry.path, Place(entry.offset, entry.length, entry.records)): entry.referenced
        for manifest in closure.manifests.values()
        for entry in manifest.entries
        if entry.kind is FileKind.DELETION_VECTORS
    }
    assert len(vectors) == 14  # as the snapshots' summaries say
    for (path, place), data_file in vectors.items():
        found = read_vectors(zoo.files, path, places=[place])[place]
        theirs = PuffinFile(zoo.files.read(path)).to_vector()[data_file]
        assert list(found.positions) == theirs.to_pylist()
        assert found.footer_path == data_file


def test_no_flipped_bit_of_a_vector_goes_unseen(tmp_path):
    content, (offset,) = puffin({A: vector(FIRST)})
    place = Place(offset, len(vector(FIRST)), len(FIRST))
    for at in range(offset, offset + place.length):
        for bit in range(8):
            spoiled = bytearray(content)
            spoiled[at] ^= 1 << bit
            with pytest.raises(PermanentError, match=r"v\.puffin is damaged"):
                read(tmp_path, bytes(spoiled), [place])


def _checked(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize(
    "blob",
    [
        pytest.param(_checked(b"\xd1\xd3\x39\x65" + vector(FIRST)[8:-4]), id="other-magic"),
        pytest.param(_checked(b"\xd1\xd3\x39\x64"), id="no-bitmap"),
        pytest.param(_checked(vector(FIRST)[4:-9]), id="bitmap-cut"),
        pytest.param(_checked(b"\xd1\xd3\x39\x64" + b"\xff" * 40), id="absurd-bitmap"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_wrong_vector_is_damage_even_with_a_right_checksum(tmp_path, blob):
    content, (offset,) = puffin({A: blob})
    with pytest.raises(PermanentError, match=r"v\.puffin is damaged"):
        read(tmp_path, content, [Place(offset, len(blob), len(FIRST))])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"records": len(FIRST) - 1}, id="fewer-rows-than-it-deletes"),
        pytest.param({"offset": 5}, id="beside-it"),
        pytest.param({"offset": 0}, id="at-the-magic"),
        pytest.param({"offset": 10**15}, id="beyond-the-end"),
        pytest.param({"length": 10**15}, id="absurd-length"),
        pytest.param({"length": -1}, id="negative-length"),
    ],
)
def test_a_manifest_that_does_not_fit_is_damage(tmp_path, change):
    content, (offset,) = puffin({A: vector(FIRST)})
    place = {"offset": offset, "length": len(vector(FIRST)), "records": len(FIRST)} | change
    with pytest.raises(PermanentError, match=r"v\.puffin is damaged"):
        read(tmp_path, content, [Place(**place)])


def test_an_absurd_length_is_not_allocated(tmp_path, monkeypatch):
    """A large file is on the disk, where reading a length means allocating it first."""
    monkeypatch.setattr(seekable_copy, "IN_MEMORY_BYTES", 1)
    content, (offset,) = puffin({A: vector(FIRST)})
    with pytest.raises(PermanentError, match=r"v\.puffin is damaged"):
        read(tmp_path, content, [Place(offset, 10**15, len(FIRST))])


def _footer(payload: bytes, *, size: int | None = None, flags: int = 0) -> bytes:
    length = len(payload) if size is None else size
    return b"PFA1" + b"PFA1" + payload + struct.pack("<i4B", length, flags, 0, 0, 0) + b"PFA1"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PFA1", id="only-magic"),
        pytest.param(_footer(b"{}", size=-5), id="negative-size"),
        pytest.param(_footer(b"{}", size=2**31 - 1), id="absurd-size"),
        pytest.param(_footer(b'{"blobs": []}')[:-1] + b"2", id="other-magic"),
        pytest.param(_footer(b"{"), id="no-json"),
        pytest.param(_footer(b"{}"), id="no-blobs"),
        pytest.param(_footer(json.dumps({"blobs": [7]}).encode()), id="blob-is-a-number"),
        pytest.param(_footer(b"not lz4", flags=1), id="packed-garbage"),
        pytest.param(_footer(b"[" * 100_000), id="nested-too-deeply"),
    ],
)
def test_a_wrong_footer_is_damage(tmp_path, content):
    with pytest.raises(PermanentError, match=r"v\.puffin is damaged"):
        read(tmp_path, content, [])


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(MissingObjectError):
        read_vectors(LocalLakeFiles(), str(tmp_path / "gone"), places=[])
