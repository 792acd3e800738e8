"""A table back in its own place: dropped, damaged, or moved on; and rolled back by itself."""

from collections.abc import Generator
from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.repository import Repository
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.restore_journal import trash_journal
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.undropping import plan_undrop, undrop
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.rolling_back import planned_rollback, roll_back
from dp_assets_tests.cli.things import make_things, things
from dp_assets_tests.usecases.backup.shops import in_order
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository

TABLE = TableId("shop", "things")
ADOPTED = {"dp.adopted": "true"}


@pytest.fixture
def lake(tmp_path: Path) -> Generator[Lakehouse, None, None]:
    """A lakehouse with ``shop.things``: a tag on its first snapshot."""
    settings = find_target([str(tmp_path / "lake")], load_settings()).settings
    initialise(settings)
    with opened(settings) as found:
        table = make_things(found.catalog)
        first = table.metadata.snapshots[0].snapshot_id
        with table.manage_snapshots() as manage:
            manage.create_tag(first, "first")
        table.transaction().set_properties(ADOPTED).commit_transaction()
        yield found


@pytest.fixture
def repository(lake: Lakehouse, tmp_path: Path) -> Repository:
    made = new_repository(tmp_path / "repository")
    add_point(made, {"shop.things": pointer(lake)}, namespaces={"shop": {"owner": "ann"}})
    return made


def pointer(lake: Lakehouse) -> str:
    found = read_pointer(lake.catalog, TABLE)
    assert found is not None
    return found


def files(lake: Lakehouse) -> list[Path]:
    root = Path(lake.settings.warehouse.root.removeprefix("file://"))
    return sorted(p for p in root.rglob("*") if p.is_file())


def contents(lake: Lakehouse) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in files(lake)}


def bring_back(lake: Lakehouse, repository: Repository, *, replace: bool = False) -> None:
    undrop(lake, repository, plan_undrop(lake, repository, str(TABLE), Wanted(replace=replace)))


def test_a_dropped_table_comes_back_with_its_files_history_and_refs(
    lake: Lakehouse, repository: Repository
):
    before, at = contents(lake), pointer(lake)
    known = lake.catalog.load_table(TABLE.identifier)
    rows = in_order(known.scan().to_arrow())
    lake.catalog.drop_table(TABLE.identifier)
    lake.catalog.drop_namespace("shop")
    for file in before:
        file.unlink()
    bring_back(lake, repository)
    table = lake.catalog.load_table(TABLE.identifier)
    assert pointer(lake) == at
    assert table.metadata == known.metadata
    assert in_order(table.scan().to_arrow()) == rows
    assert table.scan().use_ref("first").to_arrow().num_rows == 20
    assert lake.catalog.load_namespace_properties("shop")["owner"] == "ann"
    # Older metadata files are no part of the table.
    assert all(before[file] == content for file, content in contents(lake).items())


def test_earlier_metadata_files_are_named_as_lost_and_nobody_needs_them(
    lake: Lakehouse, repository: Repository
):
    """Not even a writer that is told to delete the oldest of them after its commit."""
    known = lake.catalog.load_table(TABLE.identifier)
    log = {entry.metadata_file for entry in known.metadata.metadata_log}
    lake.catalog.drop_table(TABLE.identifier)
    for file in contents(lake):
        file.unlink()
    plan = plan_undrop(lake, repository, str(TABLE), Wanted())
    assert set(plan.lost_log) == log
    assert len(log) > 2
    undrop(lake, repository, plan)
    assert not any(Path(name.removeprefix("file://")).exists() for name in log)
    deleting = {
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "1",
    }
    table = lake.catalog.load_table(TABLE.identifier)
    table.transaction().set_properties(deleting).commit_transaction()
    table.append(things(50, 55))
    first = table.metadata.snapshots[0].snapshot_id
    roll_back(lake, planned_rollback(lake, str(TABLE), first))
    assert lake.catalog.load_table(TABLE.identifier).scan().to_arrow().num_rows == 20
    with lake.reader() as reader:
        reader.attach([TABLE])
        assert reader.connection.sql("SELECT count(*) FROM shop.things").fetchone() == (20,)


def test_lost_and_altered_files_are_put_back_and_no_other_is_touched(
    lake: Lakehouse, repository: Repository
):
    before = contents(lake)
    data = [f for f in before if f.suffix == ".parquet"]
    manifest = next(f for f in before if f.name.startswith("snap-"))
    data[0].unlink()
    data[1].write_bytes(bytes(len(before[data[1]])))
    manifest.write_bytes(b"")
    times = {f: f.stat().st_mtime_ns for f in files(lake) if f not in (*data[:2], manifest)}
    plan = plan_undrop(lake, repository, str(TABLE), Wanted())
    assert [Path(f.file.path.removeprefix("file://")) for f in plan.missing] == [data[0]]
    assert {Path(f.file.path.removeprefix("file://")) for f in plan.different} == {
        data[1],
        manifest,
    }
    undrop(lake, repository, plan)
    assert contents(lake) == before
    assert {f: f.stat().st_mtime_ns for f in times} == times
    assert not plan_undrop(lake, repository, str(TABLE), Wanted()).is_needed


def test_a_table_that_moved_on_is_moved_back_only_when_told(
    lake: Lakehouse, repository: Repository
):
    at = pointer(lake)
    lake.catalog.load_table(TABLE.identifier).append(things(50, 55))
    newer = pointer(lake)
    with pytest.raises(PermanentError, match="does not know"):
        bring_back(lake, repository)
    assert pointer(lake) == newer
    bring_back(lake, repository, replace=True)
    assert pointer(lake) == at
    assert newer in trash_journal(lake.settings).read_text()


def test_a_point_without_the_table_is_passed_over(
    lake: Lakehouse, repository: Repository, tmp_path: Path
):
    lake.catalog.drop_table(TABLE.identifier)
    add_point(repository, {})
    plan = plan_undrop(lake, repository, str(TABLE), Wanted())
    assert plan.point.number == 1
    with pytest.raises(ConfigurationError, match=r"no recovery point holds shop\.thing$|holds"):
        plan_undrop(lake, repository, "shop.thing", Wanted())


def test_a_clone_undrops_nothing(lake: Lakehouse, repository: Repository):
    plan = plan_undrop(lake, repository, str(TABLE), Wanted())
    lake.catalog.update_namespace_properties("ops", updates={"dp.warehouse": "/elsewhere"})
    with pytest.raises(PermanentError, match="not lakehouse"):
        plan_undrop(lake, repository, str(TABLE), Wanted())
    with pytest.raises(PermanentError, match="not lakehouse"):
        undrop(lake, repository, plan)


def test_a_rollback_moves_main_and_keeps_every_snapshot(lake: Lakehouse):
    table = lake.catalog.load_table(TABLE.identifier)
    first, *_, last = table.metadata.snapshots
    plan = planned_rollback(lake, str(TABLE), first.snapshot_id)
    roll_back(lake, plan)
    after = lake.catalog.load_table(TABLE.identifier)
    assert after.scan().to_arrow().num_rows == 20
    assert len(after.metadata.snapshots) == len(table.metadata.snapshots)
    assert after.scan(snapshot_id=last.snapshot_id).to_arrow().num_rows == 24
    assert after.metadata.metadata_log[-1].metadata_file == table.metadata_location
    roll_back(lake, planned_rollback(lake, str(TABLE), last.snapshot_id))
    assert lake.catalog.load_table(TABLE.identifier).scan().to_arrow().num_rows == 24
    lake.catalog.load_table(TABLE.identifier).append(things(50, 55))
    assert lake.catalog.load_table(TABLE.identifier).scan().to_arrow().num_rows == 29


def test_a_commit_since_the_plan_stops_a_rollback(lake: Lakehouse):
    table = lake.catalog.load_table(TABLE.identifier)
    plan = planned_rollback(lake, str(TABLE), table.metadata.snapshots[0].snapshot_id)
    table.append(things(50, 55))
    with pytest.raises(TransientError, match="new snapshot"):
        roll_back(lake, plan)
    assert lake.catalog.load_table(TABLE.identifier).scan().to_arrow().num_rows == 29


def test_a_foreign_table_is_not_rolled_back(lake: Lakehouse):
    table = make_things(lake.catalog, name="theirs")
    with pytest.raises(PermanentError, match="is foreign"):
        planned_rollback(lake, "shop.theirs", table.metadata.snapshots[0].snapshot_id)


def test_a_snapshot_whose_files_are_gone_is_refused(lake: Lakehouse):
    first = lake.catalog.load_table(TABLE.identifier).metadata.snapshots[0]
    Path(first.manifest_list.removeprefix("file://")).unlink()
    with pytest.raises(PermanentError, match="lost its manifest list"):
        planned_rollback(lake, str(TABLE), first.snapshot_id)
