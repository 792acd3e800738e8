"""Between the finding of orphans and their record in the trash: what happens meanwhile counts."""

from dataclasses import replace
from pathlib import Path

import pytest

from dp_assets.core.errors import TransientError
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.usecases.maintenance.recording_orphans import record_orphans
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import TABLE, make_table, metadata_of
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import plant, run_sweep, search

__all__ = ["lake", "prepared"]  # fixtures

OTHER = TableId("shop", "other")


def test_a_hold_that_begins_meanwhile_stops_it(lake: Lakehouse):
    plant(lake)

    def hold() -> None:
        lake.leases.acquire("hold/recovery-point/2", owner="b", ttl_ms=60_000, wait_ms=0)

    with pytest.raises(MaintenanceRefusedError, match="recovery-point/2"):
        run_sweep(lake, between=hold)
    assert open_trash(lake).all() == ()


def test_a_file_that_is_named_before_it_is_recorded_is_not(lake: Lakehouse):
    data = next(iter(lake.catalog.load_table(TABLE.identifier).scan().plan_files())).file.file_path
    late = plant(lake, "data/late.parquet", content=Path(one_spelling(data)).read_bytes())
    alone = plant(lake)
    table = lake.catalog.load_table(TABLE.identifier)
    record = run_sweep(lake, between=lambda: table.add_files([str(late)]))
    assert [file.path.rpartition("/")[2] for file in record.files] == [alone.name]


def test_what_goes_into_the_trash_meanwhile_is_recorded_once(lake: Lakehouse):
    plant(lake)
    assert run_sweep(lake, between=lambda: run_sweep(lake)) is None
    assert len(open_trash(lake).all()) == 1


def test_a_file_that_is_gone_or_another_one_meanwhile_is_not_recorded(lake: Lakehouse):
    gone, changed = plant(lake), plant(lake, "data/changed")

    def change() -> None:
        gone.unlink()
        changed.write_bytes(b"longer than it was, by another writer")

    assert run_sweep(lake, between=change) is None


def test_a_table_that_went_back_meanwhile_stops_it(lake: Lakehouse):
    orphan, older = plant(lake), metadata_of(lake)["metadata-log"][2]["metadata-file"]

    def put_back() -> None:
        lake.catalog.drop_table(TABLE.identifier)
        lake.catalog.register_table(TABLE.identifier, older)

    with pytest.raises(MaintenanceRefusedError, match="older"):
        run_sweep(lake, between=put_back)
    lake.catalog.drop_table(TABLE.identifier)
    make_table(lake, OTHER)
    lake.catalog.register_table(TABLE.identifier, older)
    with pytest.raises(MaintenanceRefusedError):
        run_sweep(lake)
    assert orphan.exists()
    assert open_trash(lake).all() == ()


def test_a_table_that_was_dropped_meanwhile_stops_it(lake: Lakehouse):
    make_table(lake, OTHER)
    plant(lake)
    with pytest.raises(MaintenanceRefusedError, match="dropped"):
        run_sweep(lake, between=lambda: lake.catalog.drop_table(TABLE.identifier))
    assert open_trash(lake).all() == ()


def test_a_table_made_again_meanwhile_is_another_one(lake: Lakehouse):
    plant(lake)
    orphans = search(lake)
    other = replace(orphans, seen=replace(orphans.seen, uuid="another"))
    with pytest.raises(MaintenanceRefusedError, match="dropped"):
        record_orphans(lake, other, now_ms=now_ms())
    assert open_trash(lake).all() == ()


def test_a_lease_that_is_lost_meanwhile_stops_it(lake: Lakehouse):
    plant(lake)

    def steal() -> None:
        (lease,) = lake.leases.held()
        lake.leases.release(lease)

    with pytest.raises(TransientError, match="lost"):
        record_orphans(lake, search(lake), now_ms=now_ms(), guard=steal)
    assert open_trash(lake).all() == ()


def test_killed_after_the_record_the_next_sweep_finds_it_done(lake: Lakehouse):
    orphan = plant(lake)

    def kill(step: str) -> None:
        raise KeyboardInterrupt(step)

    with pytest.raises(KeyboardInterrupt, match="recorded"):
        record_orphans(lake, search(lake), now_ms=now_ms(), failpoint=kill)
    assert run_sweep(lake) is None
    (record,) = open_trash(lake).all()
    assert [file.path.rpartition("/")[2] for file in record.files] == [orphan.name]
