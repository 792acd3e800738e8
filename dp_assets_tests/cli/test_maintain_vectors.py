"""`dp maintain` on a table with position deletes, vectors and a tag, while another process writes.

PyIceberg 0.12 and DuckDB read the rows of such a table, but not their ids: those are read by the
specification, from the same files.
"""

from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.domains.maintenance.heads import head_of
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.recovery import FileKind, History
from dp_assets.settings import Settings, load_settings
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.test_maintain_moved import SETTINGS, TABLE, before_commit, elsewhere
from dp_assets_tests.faults.model_episode import make
from dp_assets_tests.faults.model_lineage import Ids, closure_at, lineage
from dp_assets_tests.faults.model_process import NAME, carried_out
from dp_assets_tests.faults.model_rows import Rows, as_read, rows_by_number

FIRST, LATER = range(1, 61), range(61, 81)
BY_POSITION, BY_VECTOR = {3, 9}, {14, 18}  # one in each partition
DELETED, UPDATED = {21}, {25}
DELETED_MEANWHILE, UPDATED_MEANWHILE = {5, 61}, {31}
DELETES = (FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS)
PARTS = "ab"


@pytest.fixture
def place(home: Path) -> Settings:
    """Six files of version 2 in each of two partitions, four of version 3 in the first one."""
    file = home / "lakehouse.yaml"
    file.write_text(SETTINGS)
    settings = load_settings(file, env={})
    make(settings, version=2, keep=2)
    with opened(settings) as lake:
        do(lake, "change_spec", field="identity")
        for n in range(12):
            do(lake, "append", ids=list(FIRST[5 * n : 5 * n + 5]), part=PARTS[n % 2])
        do(lake, "delete_positions", ids=sorted(BY_POSITION))
        do(lake, "upgrade_with_rows", ids=list(LATER[:5]), part="a")
        for n in range(1, 4):
            do(lake, "append", ids=list(LATER[5 * n : 5 * n + 5]), part="a")
        do(lake, "delete_positions", ids=sorted(BY_VECTOR))
        do(lake, "tag", name="before")
        do(lake, "update", ids=sorted(UPDATED), part="a", stamp=2)
        do(lake, "delete_positions", ids=sorted(DELETED))
    return settings


def do(lake: Lakehouse, what: str, **order: object) -> None:
    said = carried_out(lake, {"do": what, "stamp": 1, **order})
    assert said["did"] == "done", said


def read(lake: Lakehouse, ref: str = "main") -> Rows:
    """As PyIceberg reads them, and DuckDB as well."""
    table = lake.catalog.load_table(NAME.identifier)
    at = None if ref == "main" else table.refs()[ref].snapshot_id
    snapshot = table.snapshot_by_id(table.refs()[ref].snapshot_id)
    assert snapshot
    assert snapshot.schema_id is not None
    schema = table.schema() if at is None else table.schemas()[snapshot.schema_id]
    by_pyiceberg = table.scan(snapshot_id=at).to_arrow().to_pylist()
    with lake.reader() as reader:
        source = reader.scan(NAME, snapshot_id=at)
        by_duckdb = reader.rows(f"FROM {source}", about=NAME).to_pylist()
    found = rows_by_number(by_pyiceberg, schema)
    assert rows_by_number(by_duckdb, schema) == found
    return as_read(found, schema)


def ids(lake: Lakehouse, ref: str = "main") -> dict[int, Ids]:
    table = lake.catalog.load_table(NAME.identifier)
    closure = closure_at(table.metadata_location, History.ALL)
    return lineage(closure, table.refs()[ref].snapshot_id)


def kinds(lake: Lakehouse) -> set[FileKind]:
    """Of the files that are live at the head."""
    head = head_of(closure_at(existing_pointer(lake.catalog, NAME)))
    return {placed.entry.kind for placed in (*head.data.values(), *head.deletes)}


def test_a_delete_an_update_and_other_columns_between_plan_and_commit(
    dp: Dp, place: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with opened(place) as lake:
        assert kinds(lake) == {FileKind.DATA, *DELETES}
        tagged, tagged_ids = read(lake, "before"), ids(lake, "before")
        old, old_ids = read(lake), ids(lake)
    assert set(tagged) == {*FIRST, *LATER} - BY_POSITION - BY_VECTOR
    assert set(old) == set(tagged) - DELETED
    other = elsewhere(
        place,
        tmp_path,
        [
            {"do": "delete_positions", "ids": sorted(DELETED_MEANWHILE)},
            {"do": "add_column", "name": "more", "kind": "int"},
            {"do": "rename_column", "nth": 0, "name": "remark"},
            {"do": "update", "ids": sorted(UPDATED_MEANWHILE), "part": "a", "stamp": 3},
        ],
    )
    before_commit(monkeypatch, other)
    done = dp("maintain", TABLE)
    assert done.code == 0, (done.out, done.err)
    assert "rows of a replaced file were deleted since (deletion vector)" in done.out
    with opened(place) as lake:
        head = read(lake)
        assert set(head) == set(old) - DELETED_MEANWHILE
        same = set(head) - UPDATED_MEANWHILE
        assert {n: {**head[n], 5: None} for n in same} == {n: {**old[n], 5: None} for n in same}
        assert head[31][3] == "31/3/3" != old[31][3]
        names = [f.name for f in lake.catalog.load_table(NAME.identifier).schema().fields]
        assert names == ["id", "part", "remark", "count", "more"]
        assert (read(lake, "before"), ids(lake, "before")) == (tagged, tagged_ids)
        head_ids = ids(lake)
        assert {n: head_ids[n] for n in same} == {n: old_ids[n] for n in same}
        assert head_ids[31][0] == old_ids[31][0]
        assert (files(lake, "a"), files(lake, "b")) == (12, 1)
    again = dp("maintain", TABLE, "--only", "compaction")
    assert again.code == 0, (again.out, again.err)
    with opened(place) as lake:
        assert (read(lake), ids(lake)) == (head, head_ids)
        assert (read(lake, "before"), ids(lake, "before")) == (tagged, tagged_ids)
        assert (files(lake, "a"), files(lake, "b")) == (1, 1)
        assert kinds(lake) == {FileKind.DATA}


def files(lake: Lakehouse, part: str) -> int:
    """Data files of a partition."""
    tasks = lake.catalog.load_table(NAME.identifier).scan().plan_files()
    return sum(task.file.partition[0] == part for task in tasks)
