"""fsck and repair of tables that Spark wrote: versions 1 to 3, every kind of delete."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.live_rows import live_rows
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.domains.lake.repairing import RowCount, TableRepair
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.closure import LiveEntry, TableClosure
from dp_assets.ports.recovery import FileKind, History
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.checking import fsck
from dp_assets.usecases.backup.repair_planning import plan_table_repair
from dp_assets.usecases.backup.repair_ways import snapshot_rows
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets.usecases.backup.table_checking import Looking, TableCheck
from dp_assets.usecases.backup.table_repairing import forget_files
from dp_assets.usecases.registering import adopt
from dp_assets_tests.adapters.real_lakehouse import local
from dp_assets_tests.usecases.backup.readings import fingerprint
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import POINTERS, TABLES, Zoo, expected_rows, unpack_zoo


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    return unpack_zoo(tmp_path_factory.mktemp("zoo"))


@dataclass(frozen=True)
class Restored:
    """The zoo in a lakehouse of ours, at paths of its own; nothing of it is in a repository."""

    lake: Lakehouse

    def closure(self, name: str) -> TableClosure:
        pointer = existing_pointer(self.lake.catalog, TableId("zoo", name))
        return read_closure(LocalLakeFiles(), pointer, history=History.ALL)

    def entries(self, name: str, *kinds: FileKind) -> list[LiveEntry]:
        """Of the current snapshot."""
        closure = self.closure(name)
        head = next(s for s in closure.snapshots if s.snapshot_id == closure.head)
        found = (entry for use in head.manifests for entry in closure.entries(use))
        return [entry for entry in found if entry.kind in kinds]

    def without(self, name: str, path: str) -> str:
        """What PyIceberg reads of the current snapshot, one data file left out."""
        scan = self.lake.catalog.load_table(("zoo", name)).scan()
        tasks = [task for task in scan.plan_files() if task.file.file_path != path]
        metadata, io = scan.table_metadata, scan.io
        rows = ArrowScan(metadata, io, scan.projection(), AlwaysTrue()).to_table(tasks)
        return fingerprint(rows)

    def reading(self, name: str) -> str:
        """What both engines read of the current snapshot, after they agreed."""
        found = self.without(name, "")
        table = TableId("zoo", name)
        with self.lake.reader() as reader:
            rows = reader.rows(f"FROM {reader.scan(table)}", about=table)
        assert fingerprint(rows) == found
        return found

    def facts(self, name: str) -> dict[str, LiveEntry]:
        """What the current snapshot says of each file, whichever commit put it there."""
        everything = self.entries(name, *FileKind)
        return {entry.path: replace(entry, added=False) for entry in everything}

    def plan(self, name: str) -> TableRepair:
        return plan_table_repair(self.lake, None, f"zoo.{name}")


@pytest.fixture
def restored(zoo: Zoo, tmp_path: Path) -> Iterator[Restored]:
    repository = new_repository(tmp_path / "repository")
    wanted = ("v1_plain", "v2_mor", "v3_dv", "equality")
    add_point(repository, {f"zoo.{n}": POINTERS[n] for n in wanted}, read=zoo.files.read)
    target = find_target([str(tmp_path / "new")], load_settings())
    assert not restore(repository, target, plan_restore(repository, target, Wanted())).refused
    with opened(target.settings) as lake:
        for name in ("v1_plain", "v2_mor"):
            adopt(lake, TableId("zoo", name))
        yield Restored(lake)


@pytest.mark.parametrize("table", TABLES)
def test_a_table_of_the_zoo_is_clean(zoo: Zoo, table: str):
    looking = Looking(zoo.files, workers=2, deep=True)
    checked = TableCheck(looking, TableId("zoo", table)).run(zoo.table(table))
    assert checked.findings == ()
    assert checked.bytes > 0


@pytest.mark.parametrize("table", [t for t in TABLES if t != "empty"])
def test_live_rows_are_what_spark_counted(zoo: Zoo, table: str):
    closure = read_closure(zoo.files, zoo.table(table), history=History.ALL)
    known = expected_rows(table)
    assert known
    for snapshot in closure.snapshots:
        if snapshot.snapshot_id not in known:
            continue
        found = snapshot_rows(closure, zoo.files, snapshot)
        if found.exact:
            assert found.count == known[snapshot.snapshot_id]
        else:
            assert table == "equality"
            assert (found.count or 0) >= known[snapshot.snapshot_id]


@pytest.mark.parametrize("table", ["v1_plain", "v2_mor"])
def test_a_data_file_can_be_forgotten_and_the_other_rows_stay(restored: Restored, table: str):
    victim = max(restored.entries(table, FileKind.DATA), key=lambda e: e.records)
    closure, before = restored.closure(table), restored.reading(table)
    expected, facts = restored.without(table, victim.path), restored.facts(table)
    head = next(s for s in closure.snapshots if s.snapshot_id == closure.head)
    alive = live_rows(closure, LocalLakeFiles(), head)
    rows = int(before.partition(":")[0])
    assert sum(r.count for r in alive.values()) == rows
    local(victim.path).unlink()
    planned = restored.plan(table)
    assert planned.forget
    lost = planned.forget.lost.count or 0
    assert planned.forget.lost.exact
    assert 0 < lost <= victim.records
    assert planned.forget.rows == RowCount(rows - lost)
    forget_files(restored.lake, planned)
    assert restored.facts(table) == {p: e for p, e in facts.items() if p != victim.path}
    assert restored.reading(table) == expected
    assert expected.startswith(f"{rows - lost}:")
    assert not restored.plan(table).needs_choice


def test_a_lost_delete_file_is_never_forgotten(restored: Restored):
    deletes = restored.entries("v2_mor", FileKind.POSITION_DELETES)
    local(deletes[0].path).unlink()
    planned = restored.plan("v2_mor")
    assert not planned.head_rows.exact
    assert planned.forget
    assert "would bring them back" in planned.forget.refused
    with pytest.raises(PermanentError, match="would bring them back"):
        forget_files(restored.lake, planned)


def test_a_delete_file_goes_with_all_the_data_that_it_is_about(restored: Restored):
    for entry in restored.entries("v2_mor", FileKind.DATA, FileKind.POSITION_DELETES):
        local(entry.path).unlink()
    planned = restored.plan("v2_mor")
    assert planned.forget
    assert not planned.forget.refused
    assert (planned.forget.lost.exact, planned.forget.rows) == (False, RowCount(0))
    forget_files(restored.lake, planned)
    assert restored.reading("v2_mor").startswith("0:")


def test_version_3_is_refused_in_words(restored: Restored):
    for kind in (FileKind.DATA, FileKind.DELETION_VECTORS):
        local(restored.entries("v3_dv", kind)[0].path).unlink()
    planned = restored.plan("v3_dv")
    assert planned.forget
    assert "format version 3 numbers its rows" in planned.forget.refused


def test_what_equality_deletes_leave_cannot_be_told(restored: Restored):
    closure = restored.closure("equality")
    head = next(s for s in closure.snapshots if s.snapshot_id == closure.head)
    alive = live_rows(closure, LocalLakeFiles(), head)
    victims = [p for p, rows in alive.items() if not rows.exact]
    assert victims
    local(victims[0]).unlink()
    planned = restored.plan("equality")
    assert planned.forget
    assert "equality deletes" in planned.forget.refused
    (finding,) = fsck(restored.lake, ["zoo.equality"]).findings
    assert (finding.rows, finding.rows_exact) == (alive[victims[0]].count, False)
