"""The trash is emptied: when, of what, and what stops it."""

from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import Operation
from dp_assets.ports.maintenance_trash import TrashedFile, TrashState
from dp_assets.usecases.maintenance import record_emptying
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    COMMITS,
    FREED,
    TABLE,
    after_the_window,
    check_unchanged,
    check_whole,
    files_below,
    make_table,
    overwrite,
    pointer_of,
    read_both,
    record_of,
    run_expiry,
    snapshots_of,
    there,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import expired, lake, prepared

__all__ = ["expired", "lake", "prepared"]  # fixtures

WEEK_MS = 7 * DAY_MS


def test_files_stay_during_the_window_and_go_after_it(expired: Lakehouse, tmp_path: Path):
    record, readings = record_of(expired), read_both(pointer_of(expired), tmp_path)
    before = files_below(expired)
    assert empty_trash(expired, now_ms=record.until_ms - 1) == ()
    assert files_below(expired) == before
    (done,) = empty_trash(expired, now_ms=record.until_ms)
    assert (done.files, done.named, done.why) == (FREED, 0, "")
    gone = {Path(one_spelling(file.path)) for file in record.files}
    assert files_below(expired) == {path: b for path, b in before.items() if path not in gone}
    assert open_trash(expired).all() == ()
    check_whole(pointer_of(expired))
    check_unchanged(readings, read_both(pointer_of(expired), tmp_path))


def test_a_reader_of_an_expired_snapshot_finishes(lake: Lakehouse):
    table = lake.catalog.load_table(TABLE.identifier)
    scan = table.scan(snapshot_id=table.metadata.snapshots[4].snapshot_id)
    run_expiry(lake)
    assert scan.snapshot_id not in snapshots_of(lake)
    assert scan.to_arrow().num_rows == 5


def test_at_once_does_not_wait_for_the_window(expired: Lakehouse):
    record = record_of(expired)
    (done,) = empty_trash(expired, now_ms=record.at_ms, at_once=True)
    assert done.files == FREED
    assert there(expired, record) == 0


def test_a_dry_run_says_the_same_and_changes_nothing(expired: Lakehouse):
    record, before = record_of(expired), files_below(expired)
    (said,) = after_the_window(expired, dry_run=True)
    assert (files_below(expired), record_of(expired)) == (before, record)
    assert after_the_window(expired) == (said,)


def test_a_file_that_is_named_again_stays(expired: Lakehouse):
    """By another table, in another spelling: a file that somebody imported meanwhile."""
    record = record_of(expired)
    data = next(file.path for file in record.files if file.kind == "data")
    other = make_table(expired, TableId("shop", "other"))
    other.add_files([one_spelling(data)])
    (said,) = after_the_window(expired, dry_run=True)
    (done,) = after_the_window(expired)
    assert (done.files, done.named) == (FREED - 1, 1)
    assert said == done
    assert Path(one_spelling(data)).exists()
    check_whole(pointer_of(expired, TableId("shop", "other")))
    assert open_trash(expired).all() == ()


def test_a_file_named_between_two_batches_stays(
    expired: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record_emptying, "BATCH_FILES", 1)
    record = record_of(expired)
    data = [file.path for file in record.files if file.kind == "data"]
    other = make_table(expired, TableId("shop", "other"))
    steps: list[str] = []

    def name(step: str) -> None:
        steps.append(step)
        if len(steps) == 2:  # one file is deleted
            other.add_files([data[-1]])

    after_the_window(expired, failpoint=name)
    assert Path(one_spelling(data[-1])).exists()
    assert there(expired, record) == 1


def test_a_later_expiry_protects_what_it_names(expired: Lakehouse):
    """A record that was left behind by a killed run must not shorten another one's window."""
    record = record_of(expired)
    longer = replace(record, id="later", until_ms=record.until_ms + WEEK_MS)
    open_trash(expired).put(longer)
    (done,) = empty_trash(expired, now_ms=record.until_ms)
    assert (done.files, done.named) == (0, FREED)
    assert there(expired, record) == FREED
    (done,) = empty_trash(expired, now_ms=longer.until_ms)
    assert done.files == FREED


def test_files_that_are_gone_already_are_no_error(expired: Lakehouse):
    record = record_of(expired)
    for file in record.files[:5]:
        Path(one_spelling(file.path)).unlink()
    after_the_window(expired)
    assert there(expired, record) == 0
    assert open_trash(expired).all() == ()


def test_a_hold_keeps_everything(expired: Lakehouse):
    record = record_of(expired)
    with (
        expired.lease("hold/recovery-point/00000001", doing="dp backup"),
        pytest.raises(TransientError, match="hold/recovery-point/00000001"),
    ):
        after_the_window(expired, at_once=True)
    assert there(expired, record) == FREED
    assert record_of(expired) == record
    after_the_window(expired)
    assert there(expired, record) == 0


def test_a_hold_that_begins_meanwhile_keeps_the_rest(
    expired: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record_emptying, "BATCH_FILES", 5)
    record = record_of(expired)
    steps: list[str] = []

    def hold(step: str) -> None:
        steps.append(step)
        if len(steps) == 3:
            expired.leases.acquire("hold/recovery-point/2", owner="b", ttl_ms=60_000, wait_ms=0)

    with pytest.raises(TransientError, match="recovery-point/2"):
        after_the_window(expired, failpoint=hold)
    assert there(expired, record) == FREED - 10
    assert record_of(expired).state is TrashState.EMPTYING


def test_a_lost_lease_stops_before_the_next_batch(
    expired: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(record_emptying, "BATCH_FILES", 5)
    record = record_of(expired)
    steps: list[str] = []

    def steal(step: str) -> None:
        steps.append(step)
        if len(steps) == 2:
            (lease,) = expired.leases.held()
            expired.leases.release(lease)

    with pytest.raises(TransientError, match="lost"):
        after_the_window(expired, failpoint=steal)
    assert there(expired, record) == FREED - 5
    after_the_window(expired)
    assert there(expired, record) == 0


def test_who_has_the_table_keeps_its_trash(expired: Lakehouse):
    expired.settings.leases.__dict__["wait_seconds"] = 0
    with expired.lease(f"table/{TABLE}", doing="another one"):
        (done,) = after_the_window(expired)
    assert "held by" in done.why
    assert there(expired, done.record) == FREED


def test_each_expiry_has_its_window(expired: Lakehouse):
    for number in range(COMMITS):
        overwrite(expired, 1000 + 10 * number)
    later = now_ms() + 3 * DAY_MS
    run_expiry(expired, at_ms=later)
    first, second = open_trash(expired).all()
    assert second.until_ms == later + WEEK_MS
    (done,) = empty_trash(expired, now_ms=first.until_ms)
    assert done.record == first
    assert there(expired, second) == len(second.files)
    (done,) = empty_trash(expired, now_ms=second.until_ms)
    assert there(expired, second) == 0
    check_whole(pointer_of(expired))


def test_orphans_go_the_same_way(expired: Lakehouse):
    """A record of another operation; one of its files was committed after all."""
    record = record_of(expired)
    open_trash(expired).remove(record)
    location = Path(one_spelling(expired.catalog.load_table(TABLE.identifier).location()))
    orphan = location / "data" / "orphan.parquet"
    orphan.write_bytes(b"PAR1")
    head = expired.catalog.load_table(TABLE.identifier).scan().plan_files()
    live = next(iter(head)).file.file_path
    files = (TrashedFile(f"file:{orphan}", "data", 4), TrashedFile(live, "data", 4))
    orphans = replace(
        record, id="o", operation=Operation.ORPHANS, files=files, snapshots=(), pointer=""
    )
    open_trash(expired).put(orphans)
    (done,) = after_the_window(expired)
    assert (done.files, done.named) == (1, 1)
    assert not orphan.exists()
    check_whole(pointer_of(expired))
