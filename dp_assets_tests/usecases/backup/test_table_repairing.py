"""Repair: bytes back as they were, or a way out that a person chose, with its cost said right."""

from pathlib import Path

import pytest

from dp_assets.adapters.recovery.avro_generic import Record, rewrite
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.documents import from_json
from dp_assets.domains.lake.repairing import RowCount
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings
from dp_assets.usecases.backup.table_repairing import forget_files, roll_table_back
from dp_assets.usecases.backup.trash_files import SetAside, replaced_files
from dp_assets_tests.adapters.real_lakehouse import ORDERS, local, metadata_files, pointer_of
from dp_assets_tests.adapters.table_checks import check_totals
from dp_assets_tests.usecases.backup.backups import append, backup, lakehouse
from dp_assets_tests.usecases.backup.damage import (
    check,
    closure_of,
    files_of,
    first_data_file,
    flip,
    hashes,
    ids,
    plan,
    repair,
    told,
    warehouse,
)

THIRTY = list(range(30))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Two tables of three commits of ten rows, and a recovery point of them."""
    found = lakehouse(tmp_path, commits=3)
    backup(found)
    return found


@pytest.fixture
def newer(settings: Settings) -> Path:
    """A data file of ten rows (100 to 109) that no recovery point holds."""
    before = set(files_of(settings, FileKind.DATA))
    append(settings, first=100)
    (new,) = set(files_of(settings, FileKind.DATA)) - before
    return new


def forget(settings: Settings) -> None:
    planned = plan(settings)
    with opened(settings) as lake:
        forget_files(lake, planned)


def roll_back(settings: Settings) -> None:
    planned = plan(settings)
    with opened(settings) as lake:
        roll_table_back(lake, planned)


def test_every_kind_of_damage_at_once_is_undone_byte_for_byte(settings: Settings):
    before = hashes(warehouse(settings))
    lost, altered, short = files_of(settings, FileKind.DATA)
    lost.unlink()
    flip(altered, 10)
    short.write_bytes(short.read_bytes()[:-1])
    lists, manifests = (
        files_of(settings, kind) for kind in (FileKind.MANIFEST_LIST, FileKind.MANIFEST)
    )
    lists[0].write_bytes(b"")
    lists[1].unlink()
    manifests[0].unlink()
    flip(manifests[1], -40)
    local(pointer_of(settings)).write_bytes(b"")
    planned = repair(settings)
    assert hashes(warehouse(settings)) == before
    assert not planned.left
    assert not planned.needs_choice
    assert {local(s.file.path) for s in planned.missing} == {lost, lists[1], manifests[0]}
    assert told(planned)[manifests[1]] == "unreadable"
    assert check(settings, deep=True).findings == ()
    assert plan(settings).findings == ()
    assert ids(settings) == THIRTY


def test_a_plan_changes_nothing(settings: Settings):
    lost = first_data_file(settings)
    altered = next(path for path in files_of(settings, FileKind.DATA) if path != lost)
    lost.unlink()
    flip(altered, 10)
    before = hashes(warehouse(settings).parent)
    assert plan(settings).puts_back == 2
    after = hashes(warehouse(settings).parent)
    assert {p: h for p, h in after.items() if p in before} == before
    assert not replaced_files(settings).exists()


def test_what_was_there_is_kept_in_the_trash(settings: Settings):
    altered = first_data_file(settings)
    flip(altered, 10)
    wrong = altered.read_bytes()
    repair(settings)
    (line,) = replaced_files(settings).read_bytes().splitlines()
    kept = from_json(SetAside, line, about="trash")
    assert (kept.table, local(kept.path), kept.size) == ("raw.orders", altered, len(wrong))
    assert (replaced_files(settings).parent / kept.kept).read_bytes() == wrong
    assert altered.read_bytes() != wrong


def test_right_files_are_not_touched(settings: Settings):
    lost = first_data_file(settings)
    times = {p: p.stat().st_mtime_ns for p in hashes(warehouse(settings)) if p != lost}
    lost.unlink()
    repair(settings)
    assert {p: p.stat().st_mtime_ns for p in times} == times


def test_a_wrong_manifest_does_not_make_its_right_files_wrong(settings: Settings):
    """It says other row counts, and its files are called wrong for that until it is back."""
    before, manifest = hashes(warehouse(settings)), files_of(settings, FileKind.MANIFEST)[0]

    def miscount(record: Record) -> None:
        record["data_file"]["record_count"] += 1

    manifest.write_bytes(rewrite(manifest.read_bytes(), miscount, name="manifest"))
    assert "wrong row count" in told(check(settings, deep=True)).values()
    planned = repair(settings)
    assert [local(s.file.path) for s in planned.different] == [manifest]
    assert not planned.missing
    assert hashes(warehouse(settings)) == before


def test_damage_that_was_backed_up_is_undone_from_the_older_point(settings: Settings):
    before = hashes(warehouse(settings))
    flip(first_data_file(settings), 10)
    append(settings, first=50)
    backup(settings)
    repair(settings)
    after = hashes(warehouse(settings))
    assert {p: after[p] for p in before} == before
    assert check(settings, deep=True).findings == ()


def test_a_copy_that_the_repository_lost_is_not_planned_with(settings: Settings):
    lost = first_data_file(settings)
    content = lost.read_bytes()
    for copy in local(settings.repository.url).glob("objects/*/*"):
        if copy.read_bytes() == content:
            copy.unlink()
    lost.unlink()
    planned = plan(settings)
    assert planned.puts_back == 0
    assert [local(f.path) for f in planned.left] == [lost]


def test_the_loss_is_spelled_out_both_ways(settings: Settings, newer: Path):
    closure = closure_of(settings)
    newer.unlink()
    first_data_file(settings).unlink()
    planned = plan(settings)
    assert planned.puts_back == 1
    assert planned.head_rows == RowCount(40)
    assert planned.roll_back
    assert planned.forget
    assert planned.roll_back.target == closure.snapshots[2].snapshot_id
    assert (planned.roll_back.rows, planned.roll_back.given_up) == (RowCount(30), 1)
    assert [local(p) for p in planned.forget.paths] == [newer]
    assert (planned.forget.lost, planned.forget.rows) == (RowCount(10), RowCount(30))


def test_forgetting_leaves_exactly_the_other_rows(settings: Settings, newer: Path):
    append(settings, first=200)
    before = closure_of(settings)
    newer.unlink()
    kept = hashes(warehouse(settings))
    forget(settings)
    assert ids(settings) == [*THIRTY, *range(200, 210)]
    after = closure_of(settings)
    assert [s.snapshot_id for s in after.snapshots[:-1]] == [
        s.snapshot_id for s in before.snapshots
    ]
    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        check_totals(table)
        head = table.current_snapshot()
        assert head
        assert head.summary
        assert head.summary.operation.value == "delete"
        assert head.summary["dp.operation"] == "repair"
        assert head.summary["deleted-records"] == "10"
        assert head.parent_snapshot_id == before.head
        table.append(table.scan().to_arrow().slice(0, 1))
    assert len(ids(settings)) == 41
    assert {p: h for p, h in hashes(warehouse(settings)).items() if p in kept} == kept
    assert not plan(settings).needs_choice


def test_old_snapshots_stay_named_until_they_expire(settings: Settings, newer: Path):
    broken = closure_of(settings).head
    newer.unlink()
    forget(settings)
    (finding,) = check(settings).findings
    assert (finding.snapshots, finding.refs, finding.rows) == ((broken,), (), 0)
    assert "until they expire" in finding.hint


def test_rolling_back_leaves_the_last_whole_snapshot(settings: Settings, newer: Path):
    whole = closure_of(settings).snapshots[2].snapshot_id
    newer.unlink()
    roll_back(settings)
    assert ids(settings) == THIRTY
    assert closure_of(settings).head == whole
    assert not plan(settings).needs_choice


def test_without_a_repository_the_ways_are_the_same(settings: Settings, newer: Path):
    newer.unlink()
    planned = plan(settings, with_repository=False)
    assert planned.forget
    assert planned.forget.rows == RowCount(30)


def test_a_lost_manifest_cannot_be_forgotten_but_rolled_back(settings: Settings):
    before = set(files_of(settings, FileKind.MANIFEST))
    append(settings, first=100)
    (new,) = set(files_of(settings, FileKind.MANIFEST)) - before
    new.unlink()
    planned = plan(settings)
    assert planned.forget
    assert "which files it named" in planned.forget.refused
    with opened(settings) as lake, pytest.raises(PermanentError, match="which files it named"):
        forget_files(lake, planned)
    roll_back(settings)
    assert ids(settings) == THIRTY


def test_no_way_back_is_said(tmp_path: Path):
    settings = lakehouse(tmp_path, commits=1)
    first_data_file(settings).unlink()
    planned = plan(settings)
    assert planned.roll_back
    assert "no snapshot" in planned.roll_back.refused
    assert planned.forget
    assert planned.forget.rows == RowCount(0)
    forget(settings)
    assert ids(settings) == []


def test_metadata_that_no_point_holds_refers_to_the_other_verbs(settings: Settings, newer: Path):
    assert newer.exists()
    metadata_files(settings)[-1].write_bytes(b"")
    with pytest.raises(PermanentError, match="dp doctor --repair"):
        plan(settings)
