"""Every table of the zoo compacted, planned at each snapshot of its history, and read again."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.adapters.iceberg_json import ancestors
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.domains.maintenance.heads import head_of
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.maintenance.compacting import (
    FILES,
    around,
    closure_of,
    commit,
    plan_all,
    rewrite_all,
    written,
)
from dp_assets_tests.usecases.maintenance.moved_zoo import Moved, lineage, moved

# PyIceberg reads no equality deletes: the old snapshots stay as they are for it.
COMPACTED = ("v1_plain", "v2_mor", "v3_dv", "equality", "stats", "compacted", "types", "outside")


@pytest.fixture
def opened(tmp_path: Path) -> Generator[Lake, None, None]:
    with Lake(tmp_path) as made:
        made.catalog.create_namespace("zoo")
        yield made


# How far back the plan is made: the snapshot before the head, or the head.
CASES = [*((name, 1) for name in COMPACTED), ("v3_dv", 0)]


@pytest.mark.parametrize(("name", "age"), CASES)
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
