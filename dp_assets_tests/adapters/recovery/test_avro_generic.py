"""Avro containers: what is kept byte by byte."""

import io
import tracemalloc
import zlib

import pytest

from dp_assets.adapters.recovery.avro_codecs import CODECS
from dp_assets.adapters.recovery.avro_generic import Record, open_container, records, rewrite
from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.avro_files import (
    RECORDS,
    block,
    container,
    head,
)
from dp_assets_tests.zoo import unpack_zoo

NAMED = ("null", "deflate", "zstandard", "snappy")
MEGABYTE = 1 << 20


def keep(record: Record) -> None:
    """Change nothing."""
    del record


def plain_blocks(content: bytes) -> tuple[bytes, list[tuple[int, bytes]]]:
    """The head, and each block's count and decompressed bytes."""
    opened = open_container(content, name="f")
    source, found = opened._source, []
    codec = CODECS[opened.metadata.get("avro.codec", b"null").decode()]()
    while not source.at_end():
        count, stored = source.long(), source.exactly(source.long())
        assert source.exactly(16) == opened.head[-16:]
        found.append((count, codec.decode(stored)))
    return opened.head, found


def plain_content(content: bytes) -> tuple[bytes, int, bytes]:
    """The head, and all records as they are inside of blocks, which a rewrite may join."""
    start, blocks = plain_blocks(content)
    return start, sum(count for count, _ in blocks), b"".join(plain for _, plain in blocks)


def test_an_unchanged_rewrite_has_the_same_bytes_in_every_file_of_the_zoo(tmp_path):
    zoo = unpack_zoo(tmp_path)
    found = sorted(zoo.folder.rglob("*.avro"))
    assert len(found) == 76
    for file in found:
        content = file.read_bytes()
        assert plain_content(rewrite(content, keep, name=str(file))) == plain_content(content)


@pytest.mark.parametrize("codec", NAMED)
def test_every_codec_is_read_and_written(codec):
    content = container(RECORDS[:3], RECORDS[3:], codec=codec)
    assert list(records(content, name="f")) == RECORDS
    again = rewrite(content, keep, name="f")
    assert plain_content(again) == plain_content(content)
    assert list(records(again, name="f")) == RECORDS


def test_a_missing_codec_means_none():
    content = container(RECORDS).replace(b"\x14avro.codec\x08null", b"\x14avro.kodec\x08null")
    assert list(records(content, name="f")) == RECORDS


def test_only_what_is_changed_changes():
    def move(record: Record) -> None:
        record["path"] = f"/moved{record['path']}"

    content = container(RECORDS[:2], RECORDS[2:], codec="deflate", iceberg="kept ü")
    moved = rewrite(content, move, name="f")
    assert open_container(moved, name="f").head == head(codec="deflate", iceberg="kept ü")
    assert open_container(moved, name="f").metadata["iceberg"] == "kept ü".encode()
    wanted = [{**record, "path": f"/moved{record['path']}"} for record in RECORDS]
    assert list(records(moved, name="f")) == wanted


def test_small_blocks_are_joined_and_large_ones_are_not(monkeypatch: pytest.MonkeyPatch):
    content = container(*([[record] for record in RECORDS]), codec="deflate")
    assert [count for count, _ in plain_blocks(rewrite(content, keep, name="f"))[1]] == [5]
    monkeypatch.setattr("dp_assets.adapters.recovery.avro_generic.BLOCK_BYTES", 1)
    assert [count for count, _ in plain_blocks(rewrite(content, keep, name="f"))[1]] == [1] * 5


@pytest.mark.parametrize("plain", [b"", b"\0", b"\x02"])
def test_a_block_without_records_is_empty(plain: bytes):
    content = container(RECORDS)
    empty = content + bytes([0, 2 * len(plain)]) + plain + content[-16:]
    if not plain:
        assert list(records(empty, name="f")) == RECORDS
        return
    with pytest.raises(PermanentError, match="0 records"):
        list(records(empty, name="f"))


def test_records_are_sorted_across_blocks_when_asked(monkeypatch):
    monkeypatch.setattr("dp_assets.adapters.recovery.avro_generic.SORTED_BLOCK_RECORDS", 2)
    content = container(RECORDS[3:], RECORDS[:3])
    ordered = rewrite(content, keep, name="f", order=lambda r: r["path"])
    assert list(records(ordered, name="f")) == RECORDS
    assert [count for count, _ in plain_blocks(ordered)[1]] == [2, 2, 1]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        pytest.param({"type": "int", "logicalType": "date"}, 4_000_000, id="year-12921"),
        pytest.param({"type": "long", "logicalType": "timestamp-micros"}, 2**62, id="far-future"),
        pytest.param({"type": "long", "logicalType": "time-micros"}, -1, id="time-below-zero"),
        pytest.param(
            {"type": "bytes", "logicalType": "decimal", "precision": 2, "scale": 0},
            b"\x7f" * 20,
            id="decimal-over-its-precision",
        ),
        pytest.param(
            {"type": "fixed", "name": "u", "size": 16, "logicalType": "uuid"},
            b"\xff" * 16,
            id="uuid",
        ),
        pytest.param({"type": "string", "logicalType": "uuid"}, "no uuid", id="uuid-as-text"),
    ],
)
def test_values_stay_as_they_are_stored(kind, value):
    plain = {k: v for k, v in kind.items() if k != "logicalType"}
    written = {"type": "record", "name": "r", "fields": [{"name": "p", "type": kind}]}
    by = {"type": "record", "name": "r", "fields": [{"name": "p", "type": plain}]}
    content = head(written) + block([{"p": value}], by)
    assert list(records(content, name="f")) == [{"p": value}]
    assert rewrite(content, keep, name="f") == content


def test_odd_names_and_wrong_defaults_are_tolerated():
    field = {"name": "p-1 größe", "type": "int", "default": "none", "doc": 3}
    schema = {"type": "record", "name": "r", "fields": [field]}
    plain = {"type": "record", "name": "r", "fields": [{"name": "p-1 größe", "type": "int"}]}
    content = head(schema) + block([{"p-1 größe": 7}], plain)
    assert list(records(content, name="f")) == [{"p-1 größe": 7}]


def test_blocks_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dp_assets.adapters.recovery.avro_generic.BLOCK_BYTES", 1)
    content = container(RECORDS[:1], *([RECORDS] * 100))
    stream = io.BytesIO(content)
    reading = records(stream, name="f")
    assert stream.tell() == 0 or stream.tell() < len(content) / 10
    assert next(reading) == RECORDS[0]
    assert stream.tell() < len(content) / 10
    assert len(list(reading)) == 500


def test_memory_holds_a_block_not_a_file():
    row = {"path": "x" * 1000, "rows": 1, "sizes": []}
    content = container(*([[row] * 100] * 200))
    assert len(content) > 20 * MEGABYTE - MEGABYTE
    tracemalloc.start()
    count = sum(1 for _ in records(io.BytesIO(content), name="f"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert peak < 2 * MEGABYTE


def test_deflate_is_without_header():
    assert zlib.decompress(CODECS["deflate"]().encode(b"abc"), -15) == b"abc"
