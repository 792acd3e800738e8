"""A sweep over many tables lists the catalog once; what happens meanwhile takes no file away."""

from pathlib import Path

import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.ports.maintenance_trash import TrashRecord
from dp_assets.usecases.maintenance.finding_orphans import Orphans, find_orphans
from dp_assets.usecases.maintenance.orphan_catalog import SweptCatalog
from dp_assets.usecases.maintenance.recording_orphans import record_orphans
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.usecases.maintenance.expiries import (
    TABLE,
    after_the_window,
    check_whole,
    make_table,
    metadata_of,
    overwrite,
    pointer_of,
)
from dp_assets_tests.usecases.maintenance.expiry_lakes import lake, prepared
from dp_assets_tests.usecases.maintenance.orphans import AGE_MS, plant

__all__ = ["lake", "prepared"]  # fixtures

OTHER = TableId("shop", "other")


def find(lake: Lakehouse, catalog: SweptCatalog) -> Orphans:
    return find_orphans(lake, TABLE, age_ms=AGE_MS, now_ms=now_ms(), catalog=catalog)


def begun(lake: Lakehouse) -> SweptCatalog:
    """The sweep has been at another table before."""
    catalog = SweptCatalog(lake)
    catalog.pointers(OTHER)
    return catalog


def late(lake: Lakehouse) -> Path:
    """An old file with the rows of one of the table: somebody may still commit it."""
    data = next(iter(lake.catalog.load_table(TABLE.identifier).scan().plan_files())).file.file_path
    return plant(lake, "data/late.parquet", content=Path(one_spelling(data)).read_bytes())


def names(record: TrashRecord | None) -> list[str]:
    return sorted(file.path.rpartition("/")[2] for file in record.files) if record else []


def test_what_the_table_itself_names_meanwhile_is_not_recorded(lake: Lakehouse):
    file, orphan = late(lake), plant(lake)
    found = find(lake, begun(lake))
    lake.catalog.load_table(TABLE.identifier).add_files([str(file)])
    assert names(record_orphans(lake, found, now_ms=now_ms())) == [orphan.name]


def test_what_another_table_names_since_the_sweep_began_stays(lake: Lakehouse):
    """It is recorded; but whoever empties the trash asks every table anew."""
    other = make_table(lake, OTHER)
    file, orphan, catalog = late(lake), plant(lake), begun(lake)
    other.add_files([str(file)])
    record = record_orphans(lake, find(lake, catalog), now_ms=now_ms())
    assert names(record) == [file.name, orphan.name]
    (done,) = after_the_window(lake, at_once=True)
    assert (done.files, done.named) == (1, 1)
    assert not orphan.exists()
    check_whole(pointer_of(lake, OTHER))


def test_a_table_that_was_dropped_or_went_back_meanwhile_stops_it(lake: Lakehouse):
    make_table(lake, OTHER)
    plant(lake)
    found, older = find(lake, begun(lake)), metadata_of(lake)["metadata-log"][2]["metadata-file"]
    lake.catalog.drop_table(TABLE.identifier)
    with pytest.raises(MaintenanceRefusedError, match="dropped"):
        record_orphans(lake, found, now_ms=now_ms())
    lake.catalog.register_table(TABLE.identifier, older)
    with pytest.raises(MaintenanceRefusedError, match="older"):
        record_orphans(lake, found, now_ms=now_ms())
    assert open_trash(lake).all() == ()


def test_a_table_whose_old_metadata_is_gone_is_read_where_it_is_now(lake: Lakehouse):
    make_table(lake, OTHER)
    orphan, catalog, before = plant(lake), begun(lake), pointer_of(lake, OTHER)
    overwrite(lake, 900, OTHER)
    Path(one_spelling(before)).unlink()  # as write.metadata.delete-after-commit does
    assert names(record_orphans(lake, find(lake, catalog), now_ms=now_ms())) == [orphan.name]
