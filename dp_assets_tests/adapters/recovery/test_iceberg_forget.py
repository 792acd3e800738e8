"""Forgetting files of a table that was upgraded: sequence numbers stay what they were."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import read_manifest_list
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import LongType, NestedField, StringType

from dp_assets.adapters.iceberg_publish import publish
from dp_assets.adapters.iceberg_state import load_state
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_forget import stage_forgetting
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.closure import LiveEntry, one_spelling
from dp_assets.ports.recovery import History
from dp_assets_tests.adapters.orders import nothing

NAME = TableId("raw", "split")
SCHEMA = Schema(
    NestedField(1, "part", StringType(), required=False),
    NestedField(2, "id", LongType(), required=False),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "part"))


def rows(parts: str, first: int) -> pa.Table:
    numbers = range(first, first + len(parts))
    return pa.table({"part": list(parts), "id": pa.array(numbers, pa.int64())})


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[SqlCatalog]:
    found = SqlCatalog("l", uri=f"sqlite:///{tmp_path}/c.db", warehouse=f"file://{tmp_path}/lake")
    found.create_namespace("raw")
    yield found
    found.close()


def make(catalog: SqlCatalog, *, version: int) -> Table:
    """Three data files in one manifest."""
    properties = {"format-version": str(version)}
    table = catalog.create_table(
        NAME.identifier, SCHEMA, partition_spec=SPEC, properties=properties
    )
    table.append(rows("aabbcc", 0))
    return table


def entries(table: Table) -> dict[str, LiveEntry]:
    closure = read_closure(LocalLakeFiles(), table.metadata_location, history=History.CURRENT)
    (head,) = closure.snapshots
    return {e.path: replace(e, added=False) for use in head.manifests for e in closure.entries(use)}


def forget(catalog: SqlCatalog, lost: str) -> Table:
    now = catalog.load_table(NAME.identifier)
    state = load_state(now.io, now.metadata_location)
    staged = stage_forgetting(state, {one_spelling(lost)}, now_ms=1)
    publish(catalog, NAME, staged, before_swap=lambda: nothing(""))
    return catalog.load_table(NAME.identifier)


def test_files_of_version_1_keep_sequence_number_0(catalog: SqlCatalog):
    table = make(catalog, version=1)
    with table.transaction() as upgrade:
        upgrade.upgrade_table_version(2)
    table.append(rows("a", 100))
    before = entries(table)
    lost = next(path for path in before if "part=b" in path)
    after = forget(catalog, lost)
    assert entries(after) == {path: e for path, e in before.items() if path != lost}
    assert sorted(e.sequence_number or 0 for e in entries(after).values()) == [0, 0, 1]
    assert set(after.scan().to_arrow()["id"].to_pylist()) == {0, 1, 4, 5, 100}
    after.append(rows("b", 200))
    assert after.scan().to_arrow().num_rows == 6


@pytest.mark.parametrize("version", [1, 2])
def test_the_list_says_what_its_manifests_hold(catalog: SqlCatalog, version: int):
    table = make(catalog, version=version)
    lost = next(path for path in entries(table) if "part=b" in path)
    after = forget(catalog, lost)
    head = after.current_snapshot()
    assert head
    (manifest,) = read_manifest_list(after.io.new_input(head.manifest_list))
    counts = (manifest.added_files_count, manifest.existing_files_count)
    assert (*counts, manifest.deleted_files_count) == (0, 2, 1)
    assert (manifest.existing_rows_count, manifest.deleted_rows_count) == (4, 2)
    assert manifest.added_snapshot_id == head.snapshot_id
    if version == 2:
        assert (manifest.sequence_number, manifest.min_sequence_number) == (2, 1)
    gone = [
        e
        for e in manifest.fetch_manifest_entry(after.io, discard_deleted=False)
        if e.data_file.file_path == lost
    ]
    assert [(e.status, e.snapshot_id) for e in gone] == [(2, head.snapshot_id)]
    assert head.summary
    assert (head.summary["total-records"], head.summary["total-data-files"]) == ("4", "2")


def test_what_is_forgotten_is_not_carried_on(catalog: SqlCatalog):
    """An entry that says DELETED belongs to its own snapshot only."""
    table = make(catalog, version=2)
    one, two, three = sorted(entries(table))
    forget(catalog, one)
    after = forget(catalog, two)
    assert list(entries(after)) == [three]
    head = after.current_snapshot()
    assert head
    (manifest,) = head.manifests(after.io)
    assert manifest.deleted_files_count == 1


def test_a_file_that_is_not_listed_stops_it(catalog: SqlCatalog):
    table = make(catalog, version=2)
    with pytest.raises(PermanentError, match="does not list"):
        forget(catalog, "/nowhere.parquet")
    assert catalog.load_table(NAME.identifier).metadata_location == table.metadata_location
