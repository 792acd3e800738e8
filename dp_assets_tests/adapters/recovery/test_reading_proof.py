"""Two engines, one hash: what is equal hashes alike, and what differs does not."""

import struct
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    DoubleType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
    TimestamptzNanoType,
)

from dp_assets.adapters.recovery import pyiceberg_large
from dp_assets.adapters.recovery.confined_io import (
    ConfinedFiles,
    ConfinedIO,
    Confinement,
    OutsideError,
)
from dp_assets.adapters.recovery.duckdb_proof import confined_connection
from dp_assets.adapters.recovery.duckdb_row_hash import UncomparableTypeError, row_hash_query
from dp_assets.adapters.recovery.reading_proof import SnapshotReader, open_table
from dp_assets.ports.reading import Engine
from dp_assets_tests.faults.sabotage import build_stage

SCHEMA = Schema(
    NestedField(1, "d", DoubleType(), required=False),
    NestedField(2, "l", ListType(3, DoubleType(), element_required=False), required=False),
    NestedField(4, "m", MapType(5, StringType(), 6, IntegerType()), required=False),
    NestedField(
        7,
        "s",
        StructType(
            NestedField(8, "a", LongType(), required=False),
            NestedField(9, 'odd "name', StringType(), required=False),
        ),
        required=False,
    ),
)
ARROW = schema_to_pyarrow(SCHEMA, include_field_ids=False)
NONE = {"d": None, "l": None, "m": None, "s": None}
OTHER_NAN = struct.unpack("<d", struct.pack("<Q", 0xFFF8000000000001))[0]


def hashed(*rows: dict[str, object]) -> tuple[object, ...]:
    table = pa.Table.from_pylist([NONE | row for row in rows], schema=ARROW)
    with duckdb.connect() as connection:
        connection.register("t1", table)
        found = connection.execute(row_hash_query("t1", SCHEMA)).fetchone()
    assert found
    return found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"d": 0.0}, {"d": -0.0}),
        ({"d": None}, {"d": float("nan")}),
        ({"l": None}, {"l": []}),
        ({"l": []}, {"l": [None]}),
        ({"l": [None]}, {"l": [None, None]}),
        ({"l": [1.0, None]}, {"l": [None, 1.0]}),
        ({"l": [0.0]}, {"l": [-0.0]}),
        ({"l": [1.0, 2.0]}, {"l": [2.0, 1.0]}),
        ({"m": None}, {"m": []}),
        ({"m": [("a", 1)]}, {"m": [("a", 2)]}),
        ({"m": [("a", 1), ("b", 2)]}, {"m": [("a", 2), ("b", 1)]}),
        ({"m": [("a", None)]}, {"m": []}),
        ({"s": None}, {"s": {"a": None, 'odd "name': None}}),
        ({"s": {"a": 1, 'odd "name': None}}, {"s": {"a": None, 'odd "name': "1"}}),
    ],
)
def test_what_differs_hashes_differently(one: dict[str, object], other: dict[str, object]) -> None:
    assert hashed(one)[1] != hashed(other)[1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"m": [("a", 1), ("b", 2)]}, {"m": [("b", 2), ("a", 1)]}),
        ({"d": float("nan")}, {"d": OTHER_NAN}),
    ],
)
def test_what_is_equal_hashes_alike(one: dict[str, object], other: dict[str, object]) -> None:
    assert hashed(one) == hashed(other)


def test_rows_count_in_any_order_and_two_equal_ones_are_two() -> None:
    a, b = {"d": 1.5}, {"d": 2.5}
    assert hashed(a, b) == hashed(b, a)
    assert hashed(a, a, b)[1] != hashed(b)[1]
    assert hashed(a, a) != hashed(b, b)


def test_values_that_change_places_between_rows_are_seen() -> None:
    one, two = {"d": 1.0, "l": [1.0]}, {"d": 2.0, "l": [2.0]}
    crossed = ({"d": 1.0, "l": [2.0]}, {"d": 2.0, "l": [1.0]})
    assert hashed(one, two) != hashed(*crossed)


def test_a_type_that_cannot_be_compared_is_said() -> None:
    schema = Schema(NestedField(1, "t", TimestamptzNanoType(), required=False))
    with pytest.raises(UncomparableTypeError, match="timestamptz_ns"):
        row_hash_query("t", schema)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    folder = tmp_path / "lake"
    folder.mkdir()
    catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}")
    catalog.create_namespace("n")
    made = catalog.create_table("n.t", SCHEMA)
    rows = [NONE, {"d": -0.0, "l": [], "m": [("b", 1), ("a", 2)], "s": {"a": 1}}]
    made.append(pa.Table.from_pylist(rows, schema=made.schema().as_arrow()))
    with made.update_schema() as update:
        update.rename_column("d", "renamed")
        update.add_column("later", StringType())
    made.append(made.scan().to_arrow())
    yield made
    catalog.close()


def reader(folder: Path, pointer: str) -> SnapshotReader:
    connection = confined_connection(folder, memory_limit="128MB", threads=1)
    return SnapshotReader(open_table(pointer, ConfinedIO(Confinement(folder))), connection)


def test_both_engines_read_every_snapshot_alike_by_its_own_schema(
    table: Table, tmp_path: Path
) -> None:
    reading = reader(tmp_path / "lake", table.metadata_location)
    for snapshot in table.snapshots():
        one, other = (reading.read(e, snapshot.snapshot_id, cannot="") for e in Engine)
        assert one.is_read, one.failed
        assert (one.rows, one.content, one.nulls) == (other.rows, other.content, other.nulls)
    assert one.nulls == {"renamed": 2, "l": 2, "m": 2, "s": 2, "later": 4}


def test_a_lost_file_is_a_failure_and_no_refusal(table: Table, tmp_path: Path) -> None:
    head = table.snapshots()[-1].snapshot_id
    lost = next(iter(table.scan().plan_files())).file.file_path
    Path(lost.removeprefix("file://")).unlink()
    reading = reader(tmp_path / "lake", table.metadata_location)
    for engine in Engine:
        found = reading.read(engine, head, cannot="something else")
        assert found.failed
        assert not found.refused


def test_nothing_outside_is_read(table: Table, tmp_path: Path) -> None:
    """The table is whole and where it says; only the confinement is elsewhere."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    pointer = scratch / "x.metadata.json"
    pointer.write_bytes(Path(table.metadata_location.removeprefix("file://")).read_bytes())
    reading = reader(scratch, str(pointer))
    head = table.snapshots()[-1].snapshot_id
    assert "outside of" in reading.read(Engine.PYICEBERG, head, cannot="").failed
    assert (
        "file system operations are disabled" in reading.read(Engine.DUCKDB, head, cannot="").failed
    )


def test_a_link_does_not_lead_out(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link").symlink_to(outside)
    confinement = Confinement(inside)
    for location in (f"{inside}/link", f"{inside}/../out", f"file://{outside}", "s3://b/k"):
        with pytest.raises(OutsideError):
            ConfinedFiles(confinement).read(location)
        with pytest.raises(OutsideError):
            ConfinedIO(confinement).new_input(location)


def test_the_way_for_large_files_reads_what_pyiceberg_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every snapshot of tables with deletes, vectors, evolved schemas and all types."""
    stage = build_stage(tmp_path)
    with stage.restored() as restored:
        for name in ("zoo.v2_mor", "zoo.v3_dv", "zoo.v1_plain", "shop.orders"):
            pointer = restored.jobs[name].pointer
            reading = reader(restored.scratch, pointer)
            snapshots = [
                s.snapshot_id
                for s in open_table(pointer, ConfinedIO(Confinement(restored.scratch))).snapshots()
            ]
            usual = [reading.read(Engine.PYICEBERG, s, cannot="") for s in snapshots]
            monkeypatch.setattr(pyiceberg_large, "LARGE_BYTES", 0)
            monkeypatch.setattr(pyiceberg_large, "BATCH_ROWS", 7)
            assert [reading.read(Engine.PYICEBERG, s, cannot="") for s in snapshots] == usual
            monkeypatch.undo()
