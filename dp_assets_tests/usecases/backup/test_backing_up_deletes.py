"""Rows of a table with live deletes are counted at the pointer of the cut."""

import pytest
from pyiceberg.typedef import Record

from dp_assets.adapters.recovery.live_rows import Rows
from dp_assets.core.units import now_ms
from dp_assets.usecases.backup import row_counts
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets.usecases.initialising import initialise
from dp_assets_tests.adapters.orders import MONDAY, Lake
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.adapters.row_deletes import delete_positions
from dp_assets_tests.usecases.backup.backups import (
    SeenFiles,
    backup,
    check_repository,
    line_of,
    points_of,
)

JANUARY = Record(516)  # months since 1970


@pytest.fixture
def settings(tmp_path):
    """``raw.orders``: five rows, then a position delete of two of them."""
    with Lake(tmp_path) as lake:
        lake.put(MONDAY, range(5))
        (task,) = lake.table().scan().plan_files()
        path = task.file.file_path
        delete_positions(lake, partition=JANUARY, deletes=[(path, 1), (path, 3)])
    made = settings_in(
        tmp_path,
        f"catalog:\n  name: lake\n  uri: sqlite:///{tmp_path}/catalog.db\n"
        f"warehouse:\n  root: file://{tmp_path}/warehouse\n",
    )
    initialise(made, origin="test")
    init_repository(made, keys=None, now_ms=now_ms())
    return made


def test_live_rows_are_on_record_with_who_counted(settings):
    outcome = backup(settings)
    content = points_of(settings).content(line_of(outcome))
    head = next(s for s in content.snapshots if s.snapshot_id == content.head)
    assert (head.rows, head.rows_by, line_of(outcome).rows) == (3, "delete files", 3)
    others = [s.rows_by for s in content.snapshots if s.snapshot_id != content.head]
    assert set(others) == {"manifests"}
    assert check_repository(settings) == (1,)


def equality_deletes(monkeypatch):
    """Deletes that no reading of delete files can count."""
    unknown = {"x": Rows(1, exact=False)}
    monkeypatch.setattr(row_counts, "live_rows", lambda *_: unknown)


def test_an_engine_counts_what_reading_delete_files_cannot(settings, monkeypatch):
    equality_deletes(monkeypatch)
    content = points_of(settings).content(line_of(backup(settings)))
    head = next(s for s in content.snapshots if s.snapshot_id == content.head)
    assert (head.rows, head.rows_by) == (3, "duckdb")


def test_a_count_that_fails_leaves_the_rows_open_and_the_point_whole(settings, monkeypatch):
    equality_deletes(monkeypatch)
    monkeypatch.setattr(
        "dp_assets.adapters.duckdb_reader.EXTENSIONS", ("avro", "iceberg", "nothing_like_it")
    )
    outcome = backup(settings, files=SeenFiles())
    assert outcome.record.complete
    assert line_of(outcome).rows is None
    assert check_repository(settings) == (1,)
