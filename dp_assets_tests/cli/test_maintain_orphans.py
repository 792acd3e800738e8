"""`dp maintain --only orphans` and `dp trash` on a real lakehouse, from the finding to the end."""

import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.cli.conftest import Dp
from dp_assets_tests.cli.things import things
from dp_assets_tests.usecases.maintenance.expiries import TABLE, make_table, snapshots_of

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


def test_it_runs_although_an_expiry_is_due(dp: Dp, orphan: Path, lake: Lakehouse):
    with lake.catalog.load_table(TABLE.identifier).transaction() as change:
        change.set_properties(
            {"dp.maintenance.expiry.keep_days": "0", "dp.maintenance.expiry.when": "snapshots >= 1"}
        )
    expiry, *_, orphans = dp("why", "shop.things", "--json").json["operations"]
    assert expiry["due"]
    assert orphans["reasons"] == ["expiry of the same table goes first"]
    snapshots = snapshots_of(lake)
    done = dp(*SWEEP)
    assert (done.code, "orphans of shop.things: done" in done.out) == (0, True)
    assert snapshots_of(lake) == snapshots
    (row,) = dp("trash", "list", "--json").json
    assert (row["operation"], row["files"]) == ("orphans", 1)
    assert orphan.read_bytes() == CONTENT


def test_the_catalog_is_listed_as_often_for_twenty_tables_as_for_two(dp: Dp, lake: Lakehouse):
    names = [TableId("many", f"t{n}") for n in range(22)]
    lake.catalog.create_namespace("many")
    for name in names:
        table = lake.catalog.create_table(
            name.identifier, things(0, 0).schema, properties={"dp.adopted": "true"}
        )
        written(Path(one_spelling(table.location())) / "metadata" / "old-m0.avro", CONTENT)
    listings = [swept(dp, names[:2]), swept(dp, names[2:])]
    assert listings[0] == listings[1]
    rows = dp("trash", "list", "--json").json
    assert {row["table"] for row in rows} == set(map(str, names))


def swept(dp: Dp, names: list[TableId]) -> int:
    """How often a sweep over these tables reads the pointers of all of them."""
    read: list[str] = []

    def execute(_c: object, _u: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT * \nFROM iceberg_tables"):
            read.append(statement)

    event.listen(Engine, "before_cursor_execute", execute)
    try:
        done = dp("maintain", *map(str, names), "--only", "orphans")
    finally:
        event.remove(Engine, "before_cursor_execute", execute)
    assert (done.code, done.out.count(": done in")) == (0, len(names))
    assert read
    return len(read)


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
