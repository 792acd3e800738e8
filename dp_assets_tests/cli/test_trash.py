"""`dp trash` on a real lakehouse."""

from pathlib import Path

import pytest

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.maintenance_trash import TrashRecord
from dp_assets.usecases.maintenance.trash import open_trash
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.usecases.maintenance.expiries import TABLE, make_table, run_expiry


@pytest.fixture
def record(lake: Lakehouse) -> TrashRecord:
    """What an expiry of ``shop.things`` put into the trash eight days ago."""
    make_table(lake, TABLE)
    done = run_expiry(lake)
    return open_trash(lake).get(done.record_id)


def there(record: TrashRecord) -> int:
    return sum(Path(one_spelling(file.path)).exists() for file in record.files)


def test_the_trash_is_listed(dp: Dp, record: TrashRecord):
    (row,) = dp("trash", "list", "--json").json
    assert (row["id"], row["table"], row["operation"]) == (record.id, "shop.things", "expiry")
    assert (row["files"], row["bytes"], row["state"]) == (20, record.bytes, "waiting")
    assert record.id in dp("trash", "list").out


def test_an_empty_trash_is_listed_too(dp: Dp, lake: Lakehouse):
    make_table(lake, TABLE)
    assert dp("trash", "list", "--json").json == []


def test_nothing_goes_before_its_time(dp: Dp, record: TrashRecord):
    said = dp("trash", "empty", "--yes")
    assert said.code == 0
    assert "0 files" in said.out
    assert there(record) == 20


def test_now_deletes_and_a_dry_run_does_not(dp: Dp, record: TrashRecord):
    (said,) = dp("trash", "empty", "--now", "--dry-run", "--json").json
    assert (said["id"], said["files"]) == (record.id, 20)
    assert there(record) == 20
    refused = dp("trash", "empty", "--now")
    assert refused.code == 2  # nobody is there to say yes
    assert there(record) == 20
    (done,) = dp("trash", "empty", "--now", "--yes", "--json").json
    assert done["files"] == 20
    assert there(record) == 0
    assert dp("trash", "list", "--json").json == []


def test_after_the_window_it_goes(
    dp: Dp, record: TrashRecord, lake: Lakehouse, monkeypatch: pytest.MonkeyPatch
):
    later = now_ms() + 8 * DAY_MS
    monkeypatch.setattr("dp_assets.core.units.now_ms", lambda: later)
    assert dp("trash", "empty", "--yes").code == 0
    assert there(record) == 0


def test_an_expiry_is_restored_and_its_table_can_be_queried(dp: Dp, record: TrashRecord):
    said = dp("trash", "restore", record.id, "--yes", "--json")
    assert said.code == 0
    side = said.json["side_table"]
    assert f"{side}" in dp("tables").out
    kept = dp("trash", "empty", "--now", "--yes")
    assert kept.code == 1
    assert "drop that first" in kept.out
    assert there(record) == 20


def test_an_unknown_record_is_bad_usage(dp: Dp, record: TrashRecord):
    said = dp("trash", "restore", "nothing", "--yes")
    assert said.code == 2
    assert "dp trash list" in said.err
