"""Delete files for data files that have moved: the same deletes, under the new names, in order."""
# Arrow's metadata may be None for fields that nobody gave any.
# pyright: reportOptionalSubscript=false

import json
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.recovery import relocating_positions
from dp_assets.adapters.recovery.relocating_deletes import NewDeletes, rewrite_deletes
from dp_assets.core.errors import PermanentError

SCHEMA = pa.schema(
    [
        pa.field("file_path", pa.string(), False, {"PARQUET:field_id": "2147483546"}),
        pa.field("pos", pa.int64(), False, {"PARQUET:field_id": "2147483545"}),
    ],
    metadata={"delete-type": "position", "iceberg.schema": "{}"},
)


def backwards(path: str) -> str:
    """New names sort the other way round."""
    return "/new/" + path[::-1]


def positions(files: int, rows: int) -> pa.Table:
    """Sorted by path and position, as the specification wants it."""
    seed = 20130101
    print("seed", seed)  # noqa: T201
    chance = random.Random(seed)  # noqa: S311 - no secret
    found = [
        (f"/old/{file:03d}", position)
        for file in range(files)
        for position in sorted(chance.sample(range(10 * rows), rows))
    ]
    return pa.table({"file_path": [p for p, _ in found], "pos": [n for _, n in found]}, SCHEMA)


def rewritten(tmp_path: Path, file_format: str, to: Callable[[str], str]) -> NewDeletes:
    return rewrite_deletes(
        tmp_path / "old", tmp_path / "new", name="d", file_format=file_format, to=to
    )


def expected(rows: pa.Table, to: Callable[[str], str]) -> list[tuple[str, int]]:
    return sorted((to(r["file_path"]), r["pos"]) for r in rows.to_pylist())


def found(path: Path) -> list[tuple[str, int]]:
    return [(r["file_path"], r["pos"]) for r in pq.ParquetFile(path).read().to_pylist()]


@pytest.mark.parametrize("group_rows", [1, 700, 1 << 20])
@pytest.mark.parametrize("to", [backwards, lambda path: f"/new{path}"], ids=["other", "same"])
def test_parquet_is_sorted_again_in_any_amount_of_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    group_rows: int,
    to: Callable[[str], str],
):
    monkeypatch.setattr(relocating_positions, "GROUP_ROWS", group_rows)
    rows = positions(files=30, rows=100)
    pq.write_table(rows, tmp_path / "old", row_group_size=450, compression="snappy")
    new = rewritten(tmp_path, "PARQUET", to)
    assert found(tmp_path / "new") == expected(rows, to)
    assert (new.first_path, new.last_path) == (
        found(tmp_path / "new")[0][0],
        found(tmp_path / "new")[-1][0],
    )
    assert new.size == (tmp_path / "new").stat().st_size


def test_parquet_keeps_field_ids_metadata_and_codec(tmp_path: Path):
    pq.write_table(positions(3, 5), tmp_path / "old", compression="snappy")
    new = rewritten(tmp_path, "parquet", backwards)
    file = pq.ParquetFile(tmp_path / "new")
    assert file.schema_arrow.equals(SCHEMA, check_metadata=True)
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    starts = [file.metadata.row_group(i).column(0) for i in range(file.num_row_groups)]
    assert new.split_offsets == tuple(
        c.dictionary_page_offset or c.data_page_offset for c in starts
    )


def test_the_deleted_rows_themselves_are_kept_with_their_field_ids(tmp_path: Path):
    inner = pa.field("id", pa.int64(), True, {"PARQUET:field_id": "1"})
    row = pa.field("row", pa.struct([inner]), True, {"PARQUET:field_id": "2147483544"})
    rows = positions(2, 2)
    values = pa.array([{"id": n} for n in range(4)], row.type)
    pq.write_table(rows.append_column(row, values), tmp_path / "old")
    rewritten(tmp_path, "PARQUET", {"/old/000": "/b", "/old/001": "/a"}.__getitem__)
    after = pq.ParquetFile(tmp_path / "new").read()
    assert [r["id"] for r in after["row"].to_pylist()] == [2, 3, 0, 1]
    assert after.schema.field("row").metadata[b"PARQUET:field_id"] == b"2147483544"
    assert after.schema.field("row").type.field("id").metadata[b"PARQUET:field_id"] == b"1"


def test_a_file_without_rows_has_no_bounds(tmp_path: Path):
    pq.write_table(SCHEMA.empty_table(), tmp_path / "old")
    new = rewritten(tmp_path, "PARQUET", backwards)
    assert (new.first_path, new.last_path) == (None, None)
    assert found(tmp_path / "new") == []


def test_orc_becomes_parquet_with_field_ids(tmp_path: Path):
    rows = positions(5, 20)
    orc.write_table(rows, tmp_path / "old")
    new = rewritten(tmp_path, "ORC", backwards)
    assert (new.format, new.suffix) == ("PARQUET", ".parquet")
    assert found(tmp_path / "new") == expected(rows, backwards)
    ids = [f.metadata[b"PARQUET:field_id"] for f in pq.ParquetFile(tmp_path / "new").schema_arrow]
    assert ids == [b"2147483546", b"2147483545"]


def test_avro_is_sorted_again(tmp_path: Path):
    import fastavro

    from dp_assets.adapters.recovery.avro_generic import records

    rows = positions(5, 20)
    schema = {
        "type": "record",
        "name": "position_delete",
        "fields": [
            {"name": "file_path", "type": "string", "field-id": 2147483546},
            {"name": "pos", "type": "long", "field-id": 2147483545},
        ],
    }
    with (tmp_path / "old").open("wb") as file:
        fastavro.writer(file, schema, rows.to_pylist(), codec="deflate")
    new = rewritten(tmp_path, "AVRO", backwards)
    after = [(r["file_path"], r["pos"]) for r in records((tmp_path / "new").read_bytes(), name="n")]
    assert after == expected(rows, backwards)
    assert (new.first_path, new.last_path) == (after[0][0], after[-1][0])
    assert new.format == "AVRO"


def puffin(payload: bytes, *, flags: int = 0, size: int | None = None) -> bytes:
    end = struct.pack("<i", len(payload) if size is None else size) + bytes([flags, 0, 0, 0])
    return b"PFA1" + b"blob-one" + b"blob-two" + b"PFA1" + payload + end + b"PFA1"


FOOTER = {
    "blobs": [
        {"offset": 4, "length": 8, "properties": {"referenced-data-file": "/old/a", "x": "y"}},
        {"offset": 12, "length": 8, "properties": {}},
    ],
    "properties": {"created-by": "test"},
}


def zipped(payload: bytes) -> bytes:
    out = pa.BufferOutputStream()
    with pa.CompressedOutputStream(out, "lz4") as stream:
        stream.write(payload)
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize(("pack", "flags"), [(bytes, 0), (zipped, 1)], ids=["plain", "zipped"])
def test_a_puffin_file_keeps_its_blobs_where_they_are(
    tmp_path: Path, pack: Callable[[bytes], bytes], flags: int
):
    (tmp_path / "old").write_bytes(puffin(pack(json.dumps(FOOTER).encode()), flags=flags))
    new = rewritten(tmp_path, "PUFFIN", backwards)
    after = (tmp_path / "new").read_bytes()
    assert after[:24] == b"PFA1blob-oneblob-twoPFA1"
    assert new.size == len(after)
    (size,) = struct.unpack("<i", after[-12:-8])
    footer = json.loads(after[24 : 24 + size])
    assert after[24 + size + 4 :] == b"\0\0\0\0PFA1"
    assert footer["blobs"][0]["properties"] == {"referenced-data-file": "/new/a/dlo/", "x": "y"}
    assert {k: v for k, v in footer.items() if k != "blobs"} == {"properties": FOOTER["properties"]}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PFA1" * 8, id="absurd-size"),
        pytest.param(puffin(b"{}", size=-1), id="negative-size"),
        pytest.param(puffin(b"{}")[:-1], id="cut"),
        pytest.param(puffin(b"{]"), id="no-json"),
    ],
)
def test_what_is_no_puffin_file_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "old").write_bytes(content)
    with pytest.raises(PermanentError, match="no Puffin file"):
        rewritten(tmp_path, "PUFFIN", backwards)


def test_an_unknown_format_is_refused(tmp_path: Path):
    with pytest.raises(PermanentError, match="d: delete files of format LANCE"):
        rewritten(tmp_path, "LANCE", backwards)
