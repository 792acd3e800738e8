"""`dp maintain --only orphans` and `dp trash` on a real lakehouse, from the finding to the end."""

import os
from pathlib import Path

import pytest

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.usecases.maintenance.expiries import TABLE, make_table

CONTENT = b"PAR1 orphan PAR1"
SWEEP = ("maintain", "--only", "orphans")


@pytest.fixture
def orphan(lake: Lakehouse) -> Path:
    """A file of a week ago that nothing names, in the folder of ``shop.things``."""
    make_table(lake, TABLE)
    location = lake.catalog.load_table(TABLE.identifier).location()
    path = Path(one_spelling(location)) / "data" / "orphan.parquet"
    return written(path, CONTENT)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    week_ago_s = (now_ms() - 7 * DAY_MS) / 1000
    os.utime(path, (week_ago_s, week_ago_s))
    return path


def later(monkeypatch: pytest.MonkeyPatch) -> None:
    at_ms = now_ms() + 8 * DAY_MS
    monkeypatch.setattr("dp_assets.core.units.now_ms", lambda: at_ms)


def test_it_waits_in_the_trash_and_goes(dp: Dp, orphan: Path, monkeypatch: pytest.MonkeyPatch):
    shown = dp(*SWEEP, "--dry-run", "--json")
    assert [one["plan"]["orphans"] for one in shown.json] == [[f"file://{orphan}"]]
    assert dp("trash", "list", "--json").json == []
    done = dp(*SWEEP)
    assert done.code == 0, done.err
    assert f"{orphan}" in done.out
    assert "orphans of shop.things: done" in done.out
    (row,) = dp("trash", "list", "--json").json
    assert (row["table"], row["operation"], row["files"]) == ("shop.things", "orphans", 1)
    assert "0 files" in dp("trash", "empty", "--yes").out
    assert orphan.read_bytes() == CONTENT
    assert dp("health", "shop.things", "--json").json["unheld_bytes"] == 0
    assert "shop.things" not in dp("maintain", "--only", "orphans").out
    later(monkeypatch)
    assert dp("trash", "empty", "--yes").code == 0
    assert not orphan.exists()
    assert dp("trash", "list", "--json").json == []


def test_restored_before_it_stays(dp: Dp, orphan: Path, monkeypatch: pytest.MonkeyPatch):
    dp(*SWEEP)
    (row,) = dp("trash", "list", "--json").json
    said = dp("trash", "restore", row["id"], "--yes")
    assert (said.code, "1 files of shop.things" in said.out) == (0, True)
    later(monkeypatch)
    assert dp("trash", "empty", "--now", "--yes").code == 0
    assert "nothing to do" in dp("maintain", "shop.things", "--only", "orphans").out
    assert orphan.read_bytes() == CONTENT


def test_much_is_asked_for(dp: Dp, orphan: Path):
    written(orphan.parent / "much", b"x" * 1_000_000)
    refused = dp("maintain", "shop.things", "--only", "orphans")
    assert "'dp maintain shop.things --only orphans --allow' takes them" in refused.out
    assert dp("trash", "list", "--json").json == []
    assert dp("health", "shop.things", "--json").json["unheld_bytes"] == 1_000_016
    allowed = dp("maintain", "shop.things", "--only", "orphans", "--allow")
    assert "allowed although" in allowed.out
    (row,) = dp("trash", "list", "--json").json
    assert row["files"] == 2
