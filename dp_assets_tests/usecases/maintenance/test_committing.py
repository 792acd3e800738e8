"""A compaction's commit on real tables: what is in them afterwards, and what refuses it."""

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import pytest
from pyiceberg.exceptions import CommitFailedException, ValidationException

from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.core.errors import PermanentError
from dp_assets.domains.lake.rollback import rolled_back
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.table_checks import manifests
from dp_assets_tests.usecases.maintenance.compacting import (
    around,
    commit,
    compact,
    plan_all,
    rewrite,
    rewrite_all,
    written,
)
from dp_assets_tests.usecases.maintenance.things import NAME, SCHEMA, SPEC, Things, rows

ALL = [*range(1, 7), *range(11, 17)]


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lake, None, None]:
    """A real lakehouse without tables."""
    with Lake(tmp_path) as opened:
        yield opened


def roll_back(things: Things) -> None:
    parent = things.raw["snapshots"][-2]["snapshot-id"]
    at_ms = things.raw["last-updated-ms"] + 1
    things.edit(lambda raw: raw.update(rolled_back(raw, parent, at_ms=at_ms)))


def append_and_expire(things: Things) -> None:
    things.table.append(rows("a", [7]))
    head = things.table.current_snapshot()
    assert head
    old = [s.snapshot_id for s in things.table.snapshots() if s.snapshot_id != head.snapshot_id]
    things.table.maintenance.expire_snapshots().by_ids(old).commit()


def upgrade(things: Things) -> None:
    with things.table.transaction() as transaction:
        transaction.upgrade_table_version(2)


def make_anew(things: Things) -> None:
    things.lake.catalog.drop_table(NAME.identifier)
    properties = {"format-version": str(things.version), ADOPTED: "true"}
    things.lake.catalog.create_table(
        NAME.identifier, SCHEMA, partition_spec=SPEC, properties=properties
    )


@pytest.mark.parametrize(
    ("does", "version", "why"),
    [
        pytest.param(roll_back, 2, "no ancestor", id="rollback"),
        pytest.param(roll_back, 1, "no ancestor", id="rollback-v1"),
        pytest.param(append_and_expire, 2, "no ancestor", id="planned-snapshot-expired"),
        pytest.param(upgrade, 1, "format version 2", id="upgrade"),
        pytest.param(make_anew, 2, "made anew", id="dropped-and-made-anew"),
    ],
)
def test_what_refuses_the_whole_plan(
    lake: Lake, does: Callable[[Things], None], version: int, why: str
):
    things = Things(lake, version).make()
    plan = plan_all(NAME, things.pointer)
    rewritten = rewrite_all(plan)
    does(things)
    before, pointer = things.table.scan().to_arrow(), things.pointer
    done = commit(around(lake.catalog), plan, rewritten)
    assert (done.snapshot_id, done.groups) == (None, ())
    assert all(why in dropped.reason for dropped in done.dropped)
    assert len(done.dropped) == 2
    assert things.pointer == pointer
    assert things.table.scan().to_arrow() == before
    assert not any(path.exists() for path in written(rewritten))


def test_a_foreign_table_is_not_changed(lake: Lake):
    things = Things(lake).make(**{ADOPTED: "false"})
    pointer = things.pointer
    with pytest.raises(PermanentError, match="foreign"):
        compact(lake.catalog, NAME)
    assert things.pointer == pointer


@pytest.mark.parametrize("version", [1, 2])
def test_files_and_manifests_become_few(lake: Lake, version: int):
    things = Things(lake, version).make()
    before = things.rows()
    done = compact(lake.catalog, NAME)
    assert things.rows() == before
    head = things.table.current_snapshot()
    assert head
    assert head.snapshot_id == done.snapshot_id
    assert head.summary
    assert head.summary.operation.value == "replace"
    said = head.summary.additional_properties
    assert (said["dp.operation"], said["dp.run-id"]) == ("compaction", "run-1")
    counts = [
        (m.added_files_count, m.existing_files_count, m.deleted_files_count)
        for m in manifests(things.table)
    ]
    assert counts == [(2, 0, 6)]
    things.check_totals()
    files = things.table.inspect.files()
    assert sorted(files["record_count"].to_pylist()) == [6, 6]


def test_a_group_leaves_no_manifest_more(lake: Lake):
    """New files are listed beside those that stay and those that leave, group after group."""
    merging = {
        "commit.manifest-merge.enabled": "true",
        "commit.manifest.min-count-to-merge": "2",
    }
    things = Things(lake).make(**merging)
    before = things.rows()
    assert len(manifests(things.table)) == 1
    for part, expected in (("a", (1, 3, 3)), ("b", (1, 1, 3))):
        plan = plan_all(NAME, things.pointer)
        groups = [one for one in plan.groups if f'"{part}"' in one.partition]
        commit(around(lake.catalog), plan, [rewrite(plan, one) for one in groups])
        [line] = manifests(things.table)
        counts = line.added_files_count, line.existing_files_count, line.deleted_files_count
        assert counts == expected
        assert things.rows() == before
        things.check_totals()


@pytest.mark.parametrize("version", [1, 2])
def test_numbers_and_counts_of_the_manifests(lake: Lake, version: int):
    """New files have the planned snapshot's number, what leaves has its own; both spelled out."""
    things = Things(lake, version).make()
    plan = plan_all(NAME, things.pointer)
    rewritten = [one for one in rewrite_all(plan) if '"a"' in one.group.partition]
    things.table.append(rows("b", [17]))
    commit(around(lake.catalog), plan, rewritten)
    lines = manifests(things.table)
    entries = [
        (e.status, e.sequence_number, e.file_sequence_number)
        for line in lines
        for e in line.fetch_manifest_entry(things.table.io, discard_deleted=False)
        if line.sequence_number == (8 if version == 2 else 0)
    ]
    if version == 1:
        assert {(n, f) for _, n, f in entries} == {(0, 0)}
        return
    # Planned at 6, committed as 8.
    assert sorted(entries) == [(1, 6, 8), (2, 1, 1), (2, 2, 2), (2, 3, 3)]
    assert [m.min_sequence_number for m in lines if m.sequence_number == 8] == [6]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("merge", ["false", "true"])
def test_pyiceberg_goes_on_afterwards(lake: Lake, version: int, merge: str):
    properties = {
        "commit.manifest-merge.enabled": merge,
        "commit.manifest.min-count-to-merge": "2",
    }
    things = Things(lake, version).make(**properties)
    compact(lake.catalog, NAME)
    things.table.append(rows("a", [7]))
    assert things.ids() == [*range(1, 8), *range(11, 17)]
    things.table.delete("id = 2")
    things.table.delete("part = 'b'")
    assert things.ids() == [1, *range(3, 8)]
    things.check_totals()
    compact(lake.catalog, NAME)
    assert things.ids() == [1, *range(3, 8)]


def test_a_handle_from_before_is_refused_its_delete(lake: Lake):
    """PyIceberg's, of a file that we have replaced."""
    things = Things(lake).make()
    stale = things.table
    compact(lake.catalog, NAME)
    with pytest.raises((ValidationException, CommitFailedException)):
        stale.delete("id = 3")
    assert things.ids() == ALL


def test_tags_branches_and_retention_survive(lake: Lake):
    things = Things(lake).make()
    tagged = things.table.snapshots()[2].snapshot_id
    branched = things.table.snapshots()[4].snapshot_id
    things.table.manage_snapshots().create_tag(tagged, "kept").commit()
    things.table.manage_snapshots().create_branch(branched, "other").commit()
    things.table.append(rows("a", [99]), branch="other")
    things.edit(lambda raw: raw["refs"]["main"].update({"min-snapshots-to-keep": 7}))
    things.edit(lambda raw: raw.update({"unknown": {"kept": True}}))
    refs = things.raw["refs"]
    by_ref = {ref: things.table.scan().use_ref(ref).to_arrow() for ref in ("kept", "other")}
    done = compact(lake.catalog, NAME)
    main = {"snapshot-id": done.snapshot_id, "type": "branch", "min-snapshots-to-keep": 7}
    assert things.raw["refs"] == {**refs, "main": main}
    assert things.raw["unknown"] == {"kept": True}
    for ref, before in by_ref.items():
        assert things.table.scan().use_ref(ref).to_arrow() == before
    assert things.ids() == ALL


def test_position_deletes_that_are_shared_stay_until_nothing_needs_them(lake: Lake):
    """One delete file about two data files; one of them is compacted, then the other."""
    things = Things(lake).make()
    things.delete_positions(1, 3, part="a")
    for kept, left in ((1, 1), (None, 0)):
        now = plan_all(NAME, things.pointer)
        (group,) = (one for one in now.groups if '"a"' in one.partition)
        inputs = [f for f in group.inputs if kept is None or f.path != things.file_of(kept)]
        part = replace(now, groups=(replace(group, inputs=tuple(inputs)),))
        commit(around(lake.catalog), part, rewrite_all(part), run_id=f"run-{left}")
        head = things.table.current_snapshot()
        assert head
        assert head.summary
        assert head.summary["total-delete-files"] == str(left)
        assert things.ids() == [n for n in ALL if n not in (1, 3)]
        things.check_totals()


def test_an_equality_delete_goes_when_no_older_file_is_left(lake: Lake):
    things = Things(lake).make()
    things.delete_equal(3, 4, part="a")
    before = things.rows()
    compact(lake.catalog, NAME)
    assert things.rows() == before
    head = things.table.current_snapshot()
    assert head
    assert head.summary
    assert head.summary["removed-equality-deletes"] == "2"
    things.check_totals()
