"""The classic restore test: 50,000 rows with MAP and ARRAY columns, changed and deleted from."""

import shutil
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable

from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.usecases.backup.shops import tables_in
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository

ROWS = 50_000
EVENTS = TableId("raw", "events")


def events(first: int, last: int) -> pa.Table:
    numbers = range(first, last)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "tags": pa.array(
                [[f"t{n % 7}", None] if n % 5 else [] for n in numbers], pa.list_(pa.string())
            ),
            "counts": pa.array(
                [[(f"k{n % 3}", n), ("x", None)] if n % 11 else None for n in numbers],
                pa.map_(pa.string(), pa.int64()),
            ),
        }
    )


def by_pyiceberg(pointer: str) -> list[pa.Table]:
    """Every snapshot, oldest first."""
    table = StaticTable.from_metadata(pointer)
    return [
        table.scan(snapshot_id=s.snapshot_id).to_arrow().sort_by("id").combine_chunks()
        for s in table.snapshots()
    ]


def by_duckdb(pointer: str, folder: Path) -> list[pa.Table]:
    table = StaticTable.from_metadata(pointer)
    with DuckDbReader(
        lambda _: pointer, memory_limit="200MB", threads=1, temp_dir=folder
    ) as reader:
        scans = [reader.scan(EVENTS, snapshot_id=s.snapshot_id) for s in table.snapshots()]
        return [
            reader.rows(f"FROM {scan} ORDER BY id", about=EVENTS).combine_chunks() for scan in scans
        ]


def test_maps_and_arrays_come_back_at_every_snapshot(tmp_path: Path):
    home = tmp_path / "old"
    home.mkdir()
    catalog = SqlCatalog("old", uri=f"sqlite:///{home}/c.db", warehouse=f"file://{home}/w")
    catalog.create_namespace("raw")
    table = catalog.create_table("raw.events", events(0, 0).schema)
    for first in range(0, ROWS, ROWS // 2):
        table.append(events(first, first + ROWS // 2))
    table.delete("id < 1000")
    pointer = table.metadata_location
    before, by_duckdb_before = by_pyiceberg(pointer), by_duckdb(pointer, tmp_path)
    repository = new_repository(tmp_path / "repository")
    add_point(repository, {"raw.events": pointer})
    catalog.close()
    shutil.rmtree(home)
    target = find_target([str(tmp_path / "new")], load_settings())
    restore(repository, target, plan_restore(repository, target, Wanted()))
    (restored,) = tables_in(target).values()
    assert [rows.num_rows for rows in before] == [ROWS // 2, ROWS, ROWS - 1000]
    assert by_pyiceberg(restored) == before
    assert by_duckdb(restored, tmp_path) == by_duckdb_before
