"""Every table of the zoo compacted, planned at each snapshot of its history, and read again."""

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dp_assets.adapters.iceberg_json import ancestors
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.core.ids import TableId
from dp_assets.domains.maintenance.heads import head_of
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.moved_table import move
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.backup.readings import by_duckdb, by_pyiceberg
from dp_assets_tests.usecases.maintenance.compacting import (
    FILES,
    around,
    closure_of,
    commit,
    live,
    plan_all,
    rewrite_all,
    written,
)
from dp_assets_tests.zoo import unpack_zoo

# PyIceberg reads no equality deletes: the old snapshots stay as they are for it.
COMPACTED = ("v1_plain", "v2_mor", "v3_dv", "equality", "stats", "compacted", "types", "outside")


@dataclass(frozen=True)
class Moved:
    """A table of the zoo in a catalog of its own."""

    lake: Lake
    table: TableId

    @property
    def pointer(self) -> str:
        return self.lake.catalog.load_table(self.table.identifier).metadata_location

    @property
    def raw(self) -> dict:
        return json.loads(Path(one_spelling(self.pointer)).read_text())

    def readings(self) -> tuple[dict[str, str], dict[str, str]]:
        return by_pyiceberg(self.pointer), by_duckdb(self.pointer, self.lake.folder / "tmp")


@pytest.fixture
def opened(tmp_path: Path) -> Generator[Lake, None, None]:
    with Lake(tmp_path) as made:
        made.catalog.create_namespace("zoo")
        yield made


def moved(lake: Lake, name: str) -> Moved:
    zoo = unpack_zoo(lake.folder)
    pointer = Path(move(zoo.files, zoo.table(name), lake.folder / "moved"))
    metadata = json.loads(pointer.read_text())
    metadata["properties"][ADOPTED] = "true"
    metadata["unknown"] = {"kept": [1]}
    pointer.write_text(json.dumps(metadata))
    lake.catalog.register_table(("zoo", name), str(pointer))
    return Moved(lake, TableId("zoo", name))


def history(name: str) -> list[tuple[str, int]]:
    """How far back the plan is made: the head, and the snapshot before it."""
    return [(name, n) for n in range(2)]


@pytest.mark.parametrize(("name", "age"), [case for n in COMPACTED for case in history(n)])
def test_every_reading_is_as_before(opened: Lake, name: str, age: int):
    table = moved(opened, name)
    line = [s["snapshot-id"] for s in ancestors(table.raw)]
    if age >= len(line):
        return
    before, metadata = table.readings(), table.raw
    plan = plan_all(table.table, table.pointer, snapshot_id=line[age])
    done = commit(around(opened.catalog), plan, rewritten := rewrite_all(plan))
    after = table.readings()
    for one, other in zip(before, after, strict=True):
        was_refused = one["current"].startswith("refused")
        ours = {f"snapshot {done.snapshot_id}"} | (
            {"current", "ref main"} if was_refused else set()
        )
        assert {k: v for k, v in other.items() if k not in ours} == {
            k: v for k, v in one.items() if k not in ours
        }
        assert not other["current"].startswith("refused") or was_refused
    assert len(done.groups) + len(done.dropped) == len(rewritten)
    assert all(path.exists() for path in written(done.groups))
    assert not any(path.exists() for path in written(d.rewritten for d in done.dropped))
    if age == 0:
        assert not done.dropped
        data = head_of(closure_of(table.pointer)).data
        assert sorted(data) == sorted(f.path for one in done.groups for f in one.written)
        assert table.raw["unknown"] == metadata["unknown"]
    if done.snapshot_id is None:
        assert table.raw == metadata


def lineage(table: Moved) -> list[str]:
    """Every live row with its id and the number of the commit that wrote it."""
    plan = plan_all(table.table, table.pointer)
    tables = (live(plan, group, file) for group in plan.groups for file in group.inputs)
    return sorted(repr(row) for rows in tables for row in rows.to_pylist())


def test_rows_of_version_3_keep_their_ids(opened: Lake):
    table = moved(opened, "v3_dv")
    before, old = lineage(table), table.raw
    done = commit_all(table)
    new = table.raw
    assert lineage(table) == before
    (snapshot,) = (s for s in new["snapshots"] if s["snapshot-id"] == done)
    assert snapshot["first-row-id"] == old["next-row-id"]
    assert new["next-row-id"] == old["next-row-id"] + snapshot["added-rows"]
    lines = list(records(FILES.read(snapshot["manifest-list"]), name="list"))
    data = [line for line in lines if line["content"] == 0]
    taken = sorted(
        (line["first_row_id"], line["existing_rows_count"] + line["added_rows_count"])
        for line in data
        if line["added_snapshot_id"] == done
    )
    following = snapshot["first-row-id"]
    for first, count in taken:
        assert first == following
        following += count
    assert following == new["next-row-id"]
    assert {line["first_row_id"] for line in lines if line["content"]} <= {None}


def test_row_ids_of_rewritten_entries_are_spelled_out(opened: Lake):
    """One of the groups only: the other files of its manifests stay, with the ids they have."""
    table = moved(opened, "v3_dv")
    before = lineage(table)
    plan = plan_all(table.table, table.pointer)
    file = plan.groups[0].inputs[0]
    some = replace(plan, groups=(replace(plan.groups[0], inputs=(file,)),))
    commit(around(opened.catalog), some, rewrite_all(some))
    assert lineage(table) == before


def commit_all(table: Moved) -> int | None:
    plan = plan_all(table.table, table.pointer)
    return commit(around(table.lake.catalog), plan, rewrite_all(plan)).snapshot_id
