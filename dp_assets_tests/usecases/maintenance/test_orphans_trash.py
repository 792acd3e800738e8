"""Orphans in the trash: their window, what takes them out again, and the whole operation."""

from pathlib import Path

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation, Outcome
from dp_assets.ports.maintenance_trash import TrashState
from dp_assets.usecases.maintenance import record_emptying
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.journaling import read_journal
from dp_assets.usecases.maintenance.looking import look, look_at, tables_to_look_at
from dp_assets.usecases.maintenance.maintaining import PLANNERS, Planned, maintain, plan
from dp_assets.usecases.maintenance.orphans_work import plan_many_orphans
from dp_assets.usecases.maintenance.sweeping import sweep
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    after_the_window,
    check_whole,
    files_below,
    make_table,
    pointer_of,
    record_of,
    run_expiry,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import found, plant, run_sweep

__all__ = ["lake", "prepared"]  # fixtures


def planned(lake: Lakehouse, *, allow: bool = False) -> Planned:
    planners = {**PLANNERS, Operation.ORPHANS: plan_many_orphans} if allow else PLANNERS
    return plan(lake, TABLE, Operation.ORPHANS, now_ms=now_ms(), planners=planners)


def test_they_stay_during_the_window_and_go_after_it(lake: Lakehouse):
    before = files_below(lake)
    orphans = {plant(lake), plant(lake, "metadata/old-m0.avro"), plant(lake, "data/x/.a.tmp")}
    record = run_sweep(lake)
    assert {Path(one_spelling(file.path)) for file in record.files} == orphans
    assert sorted(file.kind for file in record.files) == ["data", "file", "manifest"]
    assert record.until_ms - record.at_ms == 7 * DAY_MS
    assert empty_trash(lake, now_ms=record.until_ms - 1) == ()
    assert all(path.read_bytes() == b"PAR1 orphan PAR1" for path in orphans)
    (done,) = empty_trash(lake, now_ms=record.until_ms)
    assert (done.files, done.bytes, done.named, done.why) == (3, 48, 0, "")
    assert files_below(lake) == before
    assert open_trash(lake).all() == ()


def test_the_window_is_a_setting(lake: Lakehouse):
    lake.settings.maintenance.__dict__["trash_days"] = 30
    plant(lake)
    record = run_sweep(lake)
    assert record.until_ms - record.at_ms == 30 * DAY_MS
    assert after_the_window(lake) == ()


def test_restored_before_they_stay_byte_for_byte_also_after_the_next_sweep(lake: Lakehouse):
    orphan = plant(lake)
    record = run_sweep(lake)
    assert take_out(lake, record.id).side_table == ""
    assert take_out(lake, record.id).missing == 0  # twice is as good as once
    for at_once in (False, True):
        assert after_the_window(lake, at_once=at_once) == ()
    assert found(lake) == set()
    assert run_sweep(lake) is None
    assert orphan.read_bytes() == b"PAR1 orphan PAR1"
    assert record_of(lake).state is TrashState.RESTORED
    orphan.unlink()
    assert after_the_window(lake) == ()
    assert open_trash(lake).all() == ()


def test_what_is_left_of_them_can_be_restored(lake: Lakehouse):
    gone, left = plant(lake), plant(lake, "data/left")
    record = run_sweep(lake)
    gone.unlink()  # by another engine's removal of orphans
    assert take_out(lake, record.id).missing == 1
    after_the_window(lake, at_once=True)
    assert left.exists()


def test_a_file_that_is_named_again_stays(lake: Lakehouse):
    """A writer that took longer than any should: its commit lands while the window is open."""
    table = lake.catalog.load_table(TABLE.identifier)
    data = Path(one_spelling(next(iter(table.scan().plan_files())).file.file_path))
    late, orphan = plant(lake, "data/late.parquet", content=data.read_bytes()), plant(lake)
    run_sweep(lake)
    table.add_files([str(late)])
    (done,) = after_the_window(lake)
    assert (done.files, done.named) == (1, 1)
    assert late.exists()
    assert not orphan.exists()
    check_whole(pointer_of(lake))


def test_a_file_that_another_table_names_stays(lake: Lakehouse):
    table = lake.catalog.load_table(TABLE.identifier)
    data = Path(one_spelling(next(iter(table.scan().plan_files())).file.file_path))
    late = plant(lake, "data/late.parquet", content=data.read_bytes())
    run_sweep(lake)
    make_table(lake, TableId("shop", "other")).add_files([f"file://{late}"])
    (done,) = after_the_window(lake)
    assert (done.files, done.named) == (0, 1)
    assert late.exists()


def test_a_file_that_was_written_anew_stays(lake: Lakehouse):
    """Of the same size: a writer uses the name again, and may be about to commit it."""
    again, orphan = plant(lake), plant(lake, "data/another")
    run_sweep(lake)
    again.write_bytes(b"PAR1 second PAR1")
    (done,) = after_the_window(lake)
    assert (done.files, done.bytes, done.named) == (1, 16, 1)
    assert again.read_bytes() == b"PAR1 second PAR1"
    assert not orphan.exists()
    assert found(lake) == set()  # and it is young again


def test_a_hold_keeps_them(lake: Lakehouse):
    orphan = plant(lake)
    run_sweep(lake)
    with (
        lake.lease("hold/recovery-point/00000001", doing="dp backup"),
        pytest.raises(TransientError, match="hold/recovery-point/00000001"),
    ):
        after_the_window(lake, at_once=True)
    assert orphan.exists()


def test_restored_while_it_is_emptied_the_rest_stays(
    lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    """A renamed table has two leases, so neither keeps the other one out."""
    monkeypatch.setattr(record_emptying, "BATCH_FILES", 1)
    orphans = [plant(lake), plant(lake, "data/b"), plant(lake, "data/c")]
    record = run_sweep(lake)
    lake.catalog.rename_table(TABLE.identifier, ("shop", "renamed"))
    steps: list[str] = []

    def restore(step: str) -> None:
        steps.append(step)
        if len(steps) == 2:  # one file is deleted
            take_out(lake, record.id)

    with pytest.raises(TransientError, match="taken out meanwhile"):
        after_the_window(lake, failpoint=restore)
    assert sum(path.exists() for path in orphans) == 2
    assert record_of(lake).state is TrashState.RESTORED


def test_a_sweep_after_an_expiry_leaves_its_trash_alone(lake: Lakehouse):
    run_expiry(lake)
    expiry, orphan = record_of(lake), plant(lake)
    record = run_sweep(lake)
    assert [Path(one_spelling(file.path)) for file in record.files] == [orphan]
    take_out(lake, expiry.id)
    after_the_window(lake)
    assert not orphan.exists()


def test_the_operation_is_planned_done_and_kept_in_the_journal(lake: Lakehouse):
    plant(lake)
    before, pointer = files_below(lake), pointer_of(lake)
    work = planned(lake)
    assert work.has_work
    assert open_trash(lake).all() == ()
    attempt = maintain(lake, work, run_id="run")
    assert attempt.outcome is Outcome.DONE
    assert (attempt.before["unheld_bytes"], attempt.after["unheld_bytes"]) == (16, 0)
    assert read_journal(lake, now_ms=now_ms() + 5).of(TABLE) == [attempt]
    assert (files_below(lake), pointer_of(lake)) == (before, pointer)
    again = maintain(lake, planned(lake), run_id="again")
    assert again.outcome is Outcome.NOTHING


def test_much_is_refused_unless_a_person_allows_it(lake: Lakehouse):
    plant(lake, content=b"x" * 1_000_000)
    refused = planned(lake)
    assert "dp maintain shop.things --only orphans --allow" in refused.refused
    assert maintain(lake, refused, run_id="run").outcome is Outcome.REFUSED
    assert open_trash(lake).all() == ()
    assert look_at(lake, "shop.things", now_ms=now_ms()).unheld_bytes == 1_000_000
    assert maintain(lake, planned(lake, allow=True), run_id="run").outcome is Outcome.DONE
    assert record_of(lake).bytes == 1_000_000


def test_health_knows_what_the_last_sweep_left(lake: Lakehouse):
    """The sweep moves no pointer, so what is known of the table must not hide it."""
    sweep(lake, now_ms=now_ms(), run_id="run", tell=lambda *_: None)
    assert look_at(lake, "shop.things", now_ms=now_ms()).unheld_bytes is None
    plant(lake, "data/young", hours=1, content=b"in flight")
    plant(lake)
    maintain(lake, planned(lake), run_id="run")
    known = look(lake, tables_to_look_at(lake), now_ms=now_ms(), advance=lambda _: None)
    assert known[TABLE].unheld_bytes == look_at(lake, str(TABLE), now_ms=1).unheld_bytes == 9
