"""Closure and facts of tables that PyIceberg writes, against what PyIceberg says of them."""

from collections.abc import Generator, Iterable
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable, Table
from pyiceberg.transforms import IdentityTransform

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery import iceberg_proof
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_proof import digest_of, snapshot_facts
from dp_assets.ports.recovery import FileKind, History
from dp_assets_tests.adapters.moved_table import facts, hashes, move

FILES = LocalLakeFiles()
ROWS = 50_000


@pytest.fixture
def catalog(tmp_path: Path) -> Generator[SqlCatalog, None, None]:
    opened = SqlCatalog(
        "c", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse"
    )
    opened.create_namespace("n")
    yield opened
    opened.close()


def numbers(start: int, count: int) -> pa.Table:
    ids = range(start, start + count)
    return pa.table(
        {"id": pa.array(ids, pa.int64()), "part": pa.array([f"p {n % 3}" for n in ids])}
    )


def written(catalog: SqlCatalog, version: int) -> Table:
    """Appends, a delete that rewrites files, an overwrite, a tag; merged manifests."""
    table = catalog.create_table(
        "n.t",
        schema=numbers(0, 1).schema,
        properties={
            "format-version": str(version),
            "commit.manifest-merge.enabled": "true",
            "commit.manifest.min-count-to-merge": "2",
        },
    )
    with table.update_spec() as spec:
        spec.add_identity("part")
    for start in (0, 30, 60):
        table.append(numbers(start, 30))
    table.manage_snapshots().create_tag(table.metadata.current_snapshot_id, "before").commit()
    table.delete("id < 10")
    table.overwrite(numbers(200, 5), overwrite_filter="part = 'p 1'")
    return table.refresh()


def moved(table: Table, target: Path) -> StaticTable:
    return StaticTable.from_metadata(move(FILES, table.metadata_location, target))


def rows(table: Table, snapshot_id: int | None = None) -> pa.Table:
    return table.scan(snapshot_id=snapshot_id).to_arrow().sort_by("id")


@pytest.mark.parametrize("version", [1, 2])
def test_the_closure_is_what_pyiceberg_lists(catalog, version):
    table = written(catalog, version)
    closure = read_closure(FILES, table.metadata_location, history=History.ALL)
    data = {f.path for f in closure.files if f.kind is FileKind.DATA}
    manifests = {f.path for f in closure.files if f.kind is FileKind.MANIFEST}
    lists = {f.path for f in closure.files if f.kind is FileKind.MANIFEST_LIST}
    assert data == set(table.inspect.all_files()["file_path"].to_pylist())
    assert manifests == set(table.inspect.all_manifests()["path"].to_pylist())
    assert lists == {snapshot.manifest_list for snapshot in table.snapshots()}
    assert set(closure.refs) == {"main", "before"}


@pytest.mark.parametrize("version", [1, 2])
def test_every_snapshot_counts_and_moves(catalog, tmp_path, version):
    table = written(catalog, version)
    copy = moved(table, tmp_path / "copy")
    found = facts(FILES, table.metadata_location)
    assert facts(FILES, copy.metadata_location) == found
    assert len(found) >= 5
    for fact in found:
        wanted = rows(table, fact.snapshot_id)
        assert (fact.rows, fact.rows_by) == (wanted.num_rows, "manifests")
        assert rows(copy, fact.snapshot_id).equals(wanted)


def test_snapshots_with_the_same_content_have_the_same_digest(catalog):
    """However it is spread over manifests: what was merged stays equal."""
    table = written(catalog, 2)
    before, last = facts(FILES, table.metadata_location)[2], None
    table.manage_snapshots().set_current_snapshot(before.snapshot_id).commit()
    table.append(numbers(900, 1))
    table.delete("id = 900")
    last = facts(FILES, table.refresh().metadata_location)[-1]
    assert last.snapshot_id != before.snapshot_id
    assert (last.data_digest, last.rows) == (before.data_digest, before.rows)


def test_fifty_thousand_rows_with_maps_and_lists_move(catalog, tmp_path):
    """The classic restore test: nested columns, with nulls and empty ones among them."""
    ids = range(ROWS)
    made = pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "tags": pa.array(
                [None if n % 7 == 0 else [("k", n), ("ü", n % 5)][: n % 3] for n in ids],
                pa.map_(pa.string(), pa.int64()),
            ),
            "scores": pa.array(
                [None if n % 11 == 0 else [n / 3, None][: n % 3] for n in ids],
                pa.list_(pa.float64()),
            ),
            "part": pa.array([n % 5 for n in ids], pa.int32()),
        }
    )
    table = catalog.create_table("n.nested", schema=made.schema)
    with table.update_spec() as spec:
        spec.add_field("part", IdentityTransform(), "part_now")
    table.append(made.slice(0, ROWS // 2))
    table.append(made.slice(ROWS // 2))
    copy = moved(table, tmp_path / "copy")
    (half, whole) = facts(FILES, copy.metadata_location)
    assert (half.rows, whole.rows) == (ROWS // 2, ROWS)
    assert facts(FILES, table.metadata_location) == (half, whole)
    assert rows(copy).equals(rows(table))
    assert rows(copy).num_rows == ROWS


def test_many_snapshots_cost_one_digest_of_each_manifest(catalog, monkeypatch):
    table = catalog.create_table("n.many", schema=numbers(0, 1).schema)
    for start in range(20):
        table.append(numbers(start, 1))
    closure = read_closure(FILES, table.metadata_location, history=History.ALL)
    assert sum(len(snapshot.manifests) for snapshot in closure.snapshots) == 210
    lines: list[object] = []

    def counting(made: Iterable[list[object]]) -> int:
        taken = list(made)
        lines.extend(taken)
        return digest_of(taken)

    monkeypatch.setattr(iceberg_proof, "digest_of", counting)
    found = snapshot_facts(closure, FILES, hashes(FILES, closure))
    assert len(lines) == 20
    assert [fact.data_files for fact in found] == list(range(1, 21))
