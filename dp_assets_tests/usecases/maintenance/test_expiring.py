"""An expiry of a real table: what is readable after it, and what others did meanwhile."""

from pathlib import Path

import pytest

from dp_assets.adapters.iceberg_json import Json
from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.domains.maintenance.trash import WINDOW_MS
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashState
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets.usecases.rolling_back import planned_rollback, roll_back
from dp_assets_tests.cli.things import things
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    TWO,
    check_unchanged,
    check_whole,
    closure_of,
    files_below,
    make_table,
    metadata_of,
    overwrite,
    pointer_of,
    read_both,
    run_expiry,
    snapshots_of,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared

__all__ = ["lake", "prepared"]  # fixtures

KEPT_BEFORE = {"metadata-log", "last-updated-ms", "snapshots", "snapshot-log"}


def tag(lake: Lakehouse, name: str, snapshot: int) -> None:
    with lake.catalog.load_table(TABLE.identifier).manage_snapshots() as manage:
        manage.create_tag(snapshot, name)


def refs(lake: Lakehouse) -> Json:
    return metadata_of(lake)["refs"]


def test_what_is_left_reads_as_before_and_every_file_stays(lake: Lakehouse, tmp_path: Path):
    before, readings = metadata_of(lake), read_both(pointer_of(lake), tmp_path)
    files, pointer = files_below(lake), pointer_of(lake)
    done = run_expiry(lake)
    after = metadata_of(lake)
    first, *_, last_but_one, last = [s["snapshot-id"] for s in before["snapshots"]]
    assert snapshots_of(lake) == [first, last_but_one, last]
    assert done.pointer == pointer_of(lake)
    check_unchanged(readings, read_both(pointer_of(lake), tmp_path))
    check_whole(pointer_of(lake))
    assert files_below(lake).items() >= files.items()
    assert {n: v for n, v in after.items() if n not in KEPT_BEFORE} == {
        n: v for n, v in before.items() if n not in KEPT_BEFORE
    }
    assert after["metadata-log"][:-1] == before["metadata-log"]
    assert after["metadata-log"][-1]["metadata-file"] == pointer
    assert [e["snapshot-id"] for e in after["snapshot-log"]] == [last_but_one, last]


def test_the_trash_holds_exactly_what_nothing_needs(lake: Lakehouse):
    pointer = pointer_of(lake)
    before = closure_of(pointer)
    at = now_ms() + 5
    done = run_expiry(lake, at_ms=at)
    (record,) = open_trash(lake).all()
    after = {one_spelling(file.path) for file in closure_of(done.pointer).files}
    expected = {one_spelling(f.path) for f in before.files} - after - {one_spelling(pointer)}
    assert {one_spelling(file.path) for file in record.files} == expected
    assert len(record.files) == len(expected) == 20  # 4 data files, 8 manifests, 8 lists
    assert (record.id, record.table, record.uuid) == (done.record_id, str(TABLE), before.uuid)
    assert (record.operation, record.state) == (Operation.EXPIRY, TrashState.WAITING)
    assert (record.pointer, record.at_ms, record.until_ms) == (pointer, at, at + WINDOW_MS)
    assert record.lakehouse_id == lake.require_identity("").lakehouse_id


def test_a_second_run_finds_nothing(lake: Lakehouse):
    run_expiry(lake)
    pointer = pointer_of(lake)
    assert run_expiry(lake).record_id == ""
    assert pointer_of(lake) == pointer
    assert len(open_trash(lake).all()) == 1


def test_a_plan_changes_nothing_and_the_run_does_exactly_it(lake: Lakehouse):
    pointer, files = pointer_of(lake), files_below(lake)
    at = now_ms() + 5
    planned = planned_expiry(lake, str(TABLE), TWO, now_ms=at)
    assert (pointer_of(lake), files_below(lake)) == (pointer, files)
    done = run_expiry(lake, at_ms=at)
    assert (done.plan, done.freed) == (planned.plan, planned.freed)


def test_fields_that_nobody_knows_survive(lake: Lakehouse):
    path = Path(one_spelling(pointer_of(lake)))
    path.write_text(path.read_text().replace("{", '{"future-field": {"a": [1]}, ', 1))
    run_expiry(lake)
    assert metadata_of(lake)["future-field"] == {"a": [1]}


@pytest.mark.parametrize("when", ["after-the-plan", "recorded", "metadata-written"])
def test_a_tag_made_meanwhile_survives_with_its_files(lake: Lakehouse, tmp_path: Path, when: str):
    chosen = snapshots_of(lake)[4]
    readings = read_both(pointer_of(lake), tmp_path)
    made: list[str] = []

    def make(step: str) -> None:
        if step == when and not made:
            made.append(step)
            tag(lake, "late", chosen)

    done = run_expiry(lake, between=lambda: make("after-the-plan"), failpoint=make)
    assert made
    assert refs(lake)["late"]["snapshot-id"] == chosen
    assert chosen in snapshots_of(lake)
    assert len(done.plan.snapshots) == 7
    after = read_both(pointer_of(lake), tmp_path)
    check_unchanged(({**readings[0], "ref late": readings[0][f"snapshot {chosen}"]},), after[:1])
    check_unchanged(readings[1:], after[1:])
    (record,) = open_trash(lake).all()
    needed = {one_spelling(file.path) for file in closure_of(done.pointer).files}
    assert needed.isdisjoint(one_spelling(file.path) for file in record.files)


@pytest.mark.parametrize("when", ["after-the-plan", "metadata-written"])
def test_a_rollback_made_meanwhile_is_not_undone(lake: Lakehouse, when: str):
    target = snapshots_of(lake)[2]
    made: list[str] = []

    def roll(step: str) -> None:
        if step == when and not made:
            made.append(step)
            table = lake.catalog.load_table(TABLE.identifier)
            with table.manage_snapshots() as manage:
                manage.rollback_to_snapshot(target)

    run_expiry(lake, between=lambda: roll("after-the-plan"), failpoint=roll)
    assert metadata_of(lake)["current-snapshot-id"] == target
    assert refs(lake)["main"]["snapshot-id"] == target
    assert target in snapshots_of(lake)
    check_whole(pointer_of(lake))


def test_what_an_own_rollback_gave_up_can_be_taken_back(lake: Lakehouse):
    head, target = snapshots_of(lake)[-1], snapshots_of(lake)[2]
    roll_back(lake, planned_rollback(lake, str(TABLE), target))
    run_expiry(lake, retention=Retention(max_age_ms=DAY_MS, min_snapshots=1))
    assert head in snapshots_of(lake)
    roll_back(lake, planned_rollback(lake, str(TABLE), head))
    assert metadata_of(lake)["current-snapshot-id"] == head


def test_a_commit_of_another_lands_too(lake: Lakehouse, tmp_path: Path):
    made: list[str] = []

    def commit(step: str) -> None:
        if step == "metadata-written" and not made:
            made.append(step)
            overwrite(lake, 900)

    run_expiry(lake, failpoint=commit)
    rows = lake.catalog.load_table(TABLE.identifier).scan().to_arrow()
    assert sorted(rows["id"].to_pylist()) == [900, 901, 902, 903, 904]
    # The plan had two to keep, and the commit has put two on top: those of the plan go, no more.
    assert len(snapshots_of(lake)) == 5
    check_whole(pointer_of(lake))


def test_it_gives_up_when_others_are_always_first(lake: Lakehouse):
    def commit(step: str) -> None:
        if step == "metadata-written":
            lake.catalog.load_table(TABLE.identifier).append(things(0, 1))

    with pytest.raises(TransientError, match="10 times"):
        run_expiry(lake, failpoint=commit)
    assert open_trash(lake).all() == ()
    assert len(snapshots_of(lake)) == 21


def test_a_table_made_again_is_another_one(lake: Lakehouse):
    def again() -> None:
        lake.catalog.drop_table(TABLE.identifier)
        make_table(lake, TABLE)

    with pytest.raises(PermanentError, match="made again"):
        run_expiry(lake, between=again)
    assert len(snapshots_of(lake)) == 11


def test_a_foreign_table_and_an_unknown_one_are_refused(lake: Lakehouse):
    name = TableId("shop", "foreign")
    table = make_table(lake, name)
    table.transaction().remove_properties("dp.adopted").commit_transaction()
    with pytest.raises(PermanentError, match="foreign"):
        run_expiry(lake, name=name)
    with pytest.raises(ConfigurationError, match=r"shop\.thing"):
        run_expiry(lake, name=TableId("shop", "thing"))


def test_it_waits_for_nobody_who_has_the_table(lake: Lakehouse):
    lake.settings.leases.__dict__["wait_seconds"] = 0
    with (
        lake.lease(f"table/{TABLE}", doing="another one"),
        pytest.raises(TransientError, match="held by"),
    ):
        run_expiry(lake)
    assert len(snapshots_of(lake)) == 11


def test_a_lost_lease_stops_it_before_the_commit(lake: Lakehouse):
    def steal(step: str) -> None:
        if step == "metadata-written":
            (lease,) = lake.leases.held()
            lake.leases.release(lease)

    with pytest.raises(TransientError, match="lost"):
        run_expiry(lake, failpoint=steal)
    assert len(snapshots_of(lake)) == 11
    assert open_trash(lake).all() == ()


def test_a_damaged_manifest_refuses_the_expiry(lake: Lakehouse):
    done = planned_expiry(lake, str(TABLE), TWO, now_ms=now_ms() + 5)
    manifest = next(file for file in done.freed.files if file.kind == "manifest")
    Path(one_spelling(manifest.path)).write_bytes(b"Obj")
    with pytest.raises(PermanentError, match="it breaks snapshot"):
        run_expiry(lake)
    assert len(snapshots_of(lake)) == 11


def test_imported_files_and_those_inside_another_table_are_never_freed(
    lake: Lakehouse, tmp_path: Path
):
    """Somebody may need them who has no catalog."""
    import pyarrow.parquet as pq

    other = make_table(lake, TableId("shop", "other"))
    table = lake.catalog.load_table(TABLE.identifier)
    outside, inside = tmp_path / "imported.parquet", f"{one_spelling(other.location())}/data/x"
    for path in (outside, Path(inside)):
        pq.write_table(things(0, 3), path)
        table.add_files([f"file://{path}"])
    overwrite(lake, 500)
    overwrite(lake, 510)
    done = run_expiry(lake)
    assert {one_spelling(f.path) for f in done.freed.elsewhere} == {str(outside), inside}
    assert {str(outside), inside}.isdisjoint(one_spelling(f.path) for f in done.freed.files)


def test_two_tables_in_one_folder_free_nothing_of_each_other(lake: Lakehouse):
    location = lake.catalog.load_table(TABLE.identifier).location()
    lake.catalog.create_table("shop.twin", things(0, 0).schema, location=location)
    done = run_expiry(lake)
    assert done.freed.files == ()
    assert len(done.freed.elsewhere) == 20
    assert read_pointer(lake.catalog, TableId("shop", "twin"))


def test_a_file_that_was_removed_and_added_again_stays(lake: Lakehouse, tmp_path: Path):
    """Its snapshot goes and the head has it: who asked which snapshot added it would free it."""
    table = lake.catalog.load_table(TABLE.identifier)
    old = table.metadata.snapshots[4].snapshot_id
    (file,) = [task.file.file_path for task in table.scan(snapshot_id=old).plan_files()]
    table.add_files([file])
    readings = read_both(pointer_of(lake), tmp_path)
    done = run_expiry(lake)
    assert old not in snapshots_of(lake)
    assert file not in [freed.path for freed in done.freed.files]
    empty_trash(lake, now_ms=now_ms() + WINDOW_MS + DAY_MS)
    check_unchanged(readings, read_both(pointer_of(lake), tmp_path))
    assert lake.catalog.load_table(TABLE.identifier).scan().to_arrow().num_rows == 10
