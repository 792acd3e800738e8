"""Every table that Spark wrote, of versions 1 to 3: expired to one snapshot and its refs."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.settings import Settings, load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets.usecases.initialising import initialise
from dp_assets.usecases.maintenance.emptying import empty_trash
from dp_assets.usecases.maintenance.trash import open_trash, take_out
from dp_assets.usecases.registering import adopt
from dp_assets_tests.usecases.backup.readings import Readings
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.usecases.maintenance.expiries import (
    check_unchanged,
    check_whole,
    metadata_of,
    pointer_of,
    read_both,
    run_expiry,
)
from dp_assets_tests.zoo import POINTERS, TABLES, unpack_zoo

ONE = Retention(max_age_ms=0, min_snapshots=1)


@dataclass(frozen=True)
class House:
    """A lakehouse with all tables, adopted."""

    settings: Settings
    folder: Path


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("zoo")
    zoo = unpack_zoo(folder)
    repository = new_repository(folder / "repository")
    add_point(repository, {f"zoo.{n}": p for n, p in POINTERS.items()}, read=zoo.files.read)
    target = find_target([str(folder / "new")], load_settings())
    restore(repository, target, plan_restore(repository, target, Wanted()))
    with opened(target.settings) as lake:
        if lake.identity is None:
            initialise(target.settings)
        for table in list_pointers(lake.catalog):
            adopt(lake, table)
    return House(target.settings, folder)


def kept_by_rule(lake: Lakehouse, table: TableId) -> set[int]:
    metadata = metadata_of(lake, table)
    refs = {ref["snapshot-id"] for ref in (metadata.get("refs") or {}).values()}
    return (refs | {metadata.get("current-snapshot-id") or -1}) - {-1}


@pytest.mark.parametrize("name", TABLES)
def test_what_is_kept_reads_as_before_also_when_the_trash_is_empty(house: House, name: str):
    table = TableId("zoo", name)
    with opened(house.settings) as lake:
        before, expected = read(lake, house, table), kept_by_rule(lake, table)
        snapshots = {s["snapshot-id"] for s in metadata_of(lake, table)["snapshots"]}
        done = run_expiry(lake, retention=ONE, name=table)
        assert {s["snapshot-id"] for s in metadata_of(lake, table)["snapshots"]} == expected
        assert set(done.plan.snapshots) == snapshots - expected
        check_unchanged(before, read(lake, house, table))
        if done.record_id:
            side = TableId.parse(take_out(lake, done.record_id).side_table)
            assert read(lake, house, side) == before
            lake.catalog.drop_table(side.identifier)
        empty_trash(lake, now_ms=now_ms(), at_once=True)
        assert open_trash(lake).all() == ()
        check_unchanged(before, read(lake, house, table))
        check_whole(pointer_of(lake, table))


def read(lake: Lakehouse, house: House, table: TableId) -> tuple[Readings, Readings]:
    return read_both(pointer_of(lake, table), house.folder)
