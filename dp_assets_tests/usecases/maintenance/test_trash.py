"""Taking something out of the trash: an expiry is shown again, a file stays."""

from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashedFile, TrashState
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    check_whole,
    files_below,
    metadata_of,
    overwrite,
    pointer_of,
    read_both,
    run_expiry,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared

__all__ = ["lake", "prepared"]  # fixtures

LATE_MS = 30 * DAY_MS


def test_an_expiry_comes_back_as_a_side_table(lake: Lakehouse, tmp_path: Path):
    before, head = read_both(pointer_of(lake), tmp_path), metadata_of(lake)
    done = run_expiry(lake)
    pointer, files = pointer_of(lake), files_below(lake)
    out = take_out(lake, done.record_id)
    side = TableId.parse(out.side_table)
    assert side.name.startswith("things__before_expiry_")
    assert read_both(pointer_of(lake, side), tmp_path) == before
    assert pointer_of(lake) == pointer
    assert files_below(lake).items() >= files.items()
    shown = metadata_of(lake, side)
    assert shown["refs"] == head["refs"]
    assert shown["table-uuid"] != head["table-uuid"]


def test_the_side_table_is_foreign(lake: Lakehouse):
    done = run_expiry(lake)
    side = TableId.parse(take_out(lake, done.record_id).side_table)
    with pytest.raises(PermanentError, match="foreign"):
        run_expiry(lake, name=side)


def test_its_files_stay_while_it_is_there_and_go_when_it_is_dropped(
    lake: Lakehouse, tmp_path: Path
):
    before = read_both(pointer_of(lake), tmp_path)
    done = run_expiry(lake)
    side = TableId.parse(take_out(lake, done.record_id).side_table)
    (kept,) = empty_trash(lake, now_ms=now_ms() + LATE_MS, at_once=True)
    assert str(side) in kept.why
    assert read_both(pointer_of(lake, side), tmp_path) == before
    lake.catalog.drop_table(side.identifier)
    (gone,) = empty_trash(lake, now_ms=now_ms() + LATE_MS)
    assert (gone.files, gone.named) == (20, 0)
    check_whole(pointer_of(lake))
    root = Path(one_spelling(str(lake.settings.warehouse.root)))
    assert [path for path in (root / "_dp").rglob("*") if path.is_file()] == []


def test_a_side_table_keeps_what_a_later_expiry_frees(lake: Lakehouse, tmp_path: Path):
    """It shows the whole table as it was, also what was still kept then."""
    before = read_both(pointer_of(lake), tmp_path)
    side = TableId.parse(take_out(lake, run_expiry(lake).record_id).side_table)
    for number in range(3):
        overwrite(lake, 700 + 10 * number)
    run_expiry(lake)
    empty_trash(lake, now_ms=now_ms() + LATE_MS)
    assert read_both(pointer_of(lake, side), tmp_path) == before
    check_whole(pointer_of(lake))


def test_it_is_called_twice_and_done_once(lake: Lakehouse):
    done = run_expiry(lake)
    first = take_out(lake, done.record_id)
    pointer = pointer_of(lake, TableId.parse(first.side_table))
    assert take_out(lake, done.record_id).side_table == first.side_table
    assert pointer_of(lake, TableId.parse(first.side_table)) == pointer


def test_killed_before_it_was_registered_it_is_called_again(lake: Lakehouse):
    done = run_expiry(lake)
    side = TableId.parse(take_out(lake, done.record_id).side_table)
    lake.catalog.drop_table(side.identifier)
    assert open_trash(lake).get(done.record_id).state is TrashState.RESTORED
    assert take_out(lake, done.record_id).side_table == str(side)
    assert read_pointer(lake.catalog, side)


def test_the_file_of_any_other_record_stays_byte_for_byte(lake: Lakehouse):
    record = open_trash(lake).get(run_expiry(lake).record_id)
    orphan = Path(one_spelling(pointer_of(lake))).parent / "orphan.avro"
    orphan.write_bytes(b"whatever")
    file = TrashedFile(str(orphan), "orphan", 8)
    open_trash(lake).put(replace(record, id="o", operation=Operation.ORPHANS, files=(file,)))
    assert take_out(lake, "o").side_table == ""
    empty_trash(lake, now_ms=now_ms() + LATE_MS, at_once=True)
    assert orphan.read_bytes() == b"whatever"
    assert open_trash(lake).get("o").state is TrashState.RESTORED


def test_what_was_partly_deleted_is_not_shown(lake: Lakehouse):
    record = open_trash(lake).get(run_expiry(lake).record_id)
    Path(one_spelling(record.files[0].path)).unlink()
    tables = lake.tables()
    with pytest.raises(PermanentError, match="files are gone"):
        take_out(lake, record.id)
    assert lake.tables() == tables


def test_without_the_old_metadata_file_it_says_so(lake: Lakehouse):
    record = open_trash(lake).get(run_expiry(lake).record_id)
    Path(one_spelling(record.pointer)).unlink()
    with pytest.raises(PermanentError, match="deletes old metadata files"):
        take_out(lake, record.id)
    assert open_trash(lake).get(record.id) == record


def test_another_lakehouses_record_is_not_touched(lake: Lakehouse):
    record = open_trash(lake).get(run_expiry(lake).record_id)
    open_trash(lake).put(replace(record, lakehouse_id="another"))
    with pytest.raises(PermanentError, match="lakehouse another"):
        take_out(lake, record.id)
    assert lake.tables() == (TABLE,)
