"""Repair refuses: what changed since the plan, what is not ours, what another holds."""

import json
from pathlib import Path

import pytest

from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.lakehouse import opened
from dp_assets.ports.recovery import FileKind
from dp_assets.settings import Settings
from dp_assets.usecases.backup.table_repairing import forget_files, roll_table_back
from dp_assets_tests.adapters.real_lakehouse import ORDERS, local, pointer_of
from dp_assets_tests.usecases.backup.backups import append, backup, lakehouse
from dp_assets_tests.usecases.backup.damage import (
    files_of,
    first_data_file,
    hashes,
    ids,
    plan,
    repair,
    warehouse,
)


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


@pytest.mark.parametrize("way", [forget_files, roll_table_back])
def test_a_commit_since_the_plan_stops_it(settings: Settings, newer: Path, way):
    newer.unlink()
    planned = plan(settings)
    append(settings, first=200)
    at = pointer_of(settings)
    with opened(settings) as lake, pytest.raises(TransientError, match="another snapshot"):
        way(lake, planned)
    assert pointer_of(settings) == at


def test_a_file_that_came_back_is_not_forgotten(settings: Settings, newer: Path):
    content = newer.read_bytes()
    newer.unlink()
    planned = plan(settings)
    newer.write_bytes(content)
    with opened(settings) as lake, pytest.raises(TransientError, match="is back"):
        forget_files(lake, planned)
    assert len(ids(settings)) == 40


@pytest.mark.parametrize("way", [forget_files, roll_table_back])
def test_a_foreign_table_gets_its_bytes_but_no_commit(settings: Settings, newer: Path, way):
    with opened(settings) as lake:
        table = lake.catalog.load_table(ORDERS.identifier)
        table.transaction().remove_properties("dp.adopted", "dp.writer").commit_transaction()
    lost, at = first_data_file(settings), pointer_of(settings)
    lost.unlink()
    newer.unlink()
    planned = repair(settings)
    assert lost.exists()
    with opened(settings) as lake, pytest.raises(PermanentError, match="is foreign"):
        way(lake, planned)
    assert pointer_of(settings) == at


def test_a_clone_repairs_nothing(settings: Settings, newer: Path):
    first_data_file(settings).unlink()
    newer.unlink()
    planned = plan(settings)
    with opened(settings) as lake:
        lake.catalog.update_namespace_properties("ops", updates={"dp.warehouse": "/elsewhere"})
    before = hashes(warehouse(settings))
    for way in (forget_files, roll_table_back):
        with opened(settings) as lake, pytest.raises(PermanentError, match="not lakehouse"):
            way(lake, planned)
    with pytest.raises(PermanentError, match="not lakehouse"):
        repair(settings)
    assert hashes(warehouse(settings)) == before


def test_a_held_table_is_left_alone(settings: Settings, newer: Path):
    short = settings.model_copy(
        update={"leases": settings.leases.model_copy(update={"wait_seconds": 0})}
    )
    newer.unlink()
    planned = plan(settings)
    with opened(short) as lake:
        lake.leases.acquire("table/raw.orders", owner="another", ttl_ms=60_000, wait_ms=0)
        with pytest.raises(TransientError, match="another"):
            forget_files(lake, planned)
    assert json.loads(local(pointer_of(settings)).read_text())["current-snapshot-id"] == (
        planned.head
    )
