"""`dp backup` and `dp points`: what a person and a program see."""

from pathlib import Path

import pytest

from dp_assets.core.units import now_ms
from dp_assets.lakehouse import Lakehouse
from dp_assets.usecases.backup.making_repository import init_repository
from dp_assets_tests.cli.things import make_things, things


@pytest.fixture
def shop(lake: Lakehouse):
    """Two tables and an empty repository."""
    table = make_things(lake.catalog)
    make_things(lake.catalog, name="others")
    init_repository(lake.settings, keys=None, now_ms=now_ms())
    return table


def data_file(table):
    (task, *_) = table.refresh().scan().plan_files()
    return Path(task.file.file_path.removeprefix("file://"))


def test_a_backup_answers_with_what_it_made(dp, shop):
    said = dp("backup", "--json")
    assert said.code == 0, said.err
    assert (said.json["point"], said.json["complete"], said.json["tables"]) == (1, True, 2)
    assert said.json["copied"] > 0
    assert said.json["problem"] is None
    text = dp("backup").out
    assert "unchanged     2" in text
    assert "copied        0 B" in text


def test_a_selection_and_a_history(dp, shop):
    said = dp("backup", "--include", "shop.*", "--exclude", "*.others", "--history", "current")
    assert said.code == 0, said.err
    shown = dp("points", "show", "1", "--json").json["manifest"]
    assert [(t["table"], t["snapshots"]) for t in shown["tables"]] == [("shop.things", 1)]
    assert (shown["exclude"], shown["history"]) == (["*.others"], "current")


def test_an_incomplete_point_ends_with_1_and_names_the_table(dp, shop):
    lost = data_file(shop)
    lost.unlink()
    said = dp("backup", "--json")
    assert said.code == 1
    assert "shop.things" in said.json["problem"]
    assert lost.name in said.json["problem"]
    assert "shop.others" not in said.json["problem"]
    (point,) = dp("points", "--json").json
    assert (point["complete"], point["proven"], point["pinned"]) == (False, None, False)
    assert lost.name in point["problem"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("backup", "--include", "nothing.*"), "none of 2 tables"),
        (("backup", "--history", "some"), "--history some"),
        (("points", "show", "7"), "no recovery point 7"),
        (("points", "--repository", "/nowhere"), "no repository at /nowhere"),
    ],
    ids=["nothing-selected", "no-such-history", "no-such-point", "no-such-repository"],
)
def test_wrong_usage_ends_with_2(dp, shop, arguments, why):
    said = dp(*arguments)
    assert said.code == 2
    assert why in said.err


def test_without_a_repository(dp, lake):
    said = dp("backup")
    assert said.code == 2
    assert "dp repo init" in said.err


def test_points_lists_oldest_first(dp, shop):
    dp("backup")
    shop.append(things(30, 40))
    dp("backup")
    first, second = dp("points", "--json").json
    assert (first["point"], second["point"]) == (1, 2)
    assert second["added"] < first["added"]
    assert second["size"] > first["size"]
    assert second["files"] == first["files"] + 3  # the older metadata file went
    assert second["age"] >= 0
    lines = dp("points").out.splitlines()
    assert lines[0].split() == [
        *("point", "when", "age", "tables", "files", "size", "added"),
        *("complete", "proven", "pinned"),
    ]
    assert len(lines) == 3


def test_show_has_a_line_per_table(dp, shop):
    dp("backup")
    said = dp("points", "show", "1")
    assert said.code == 0
    assert "cut            exact" in said.out
    assert [line.split()[0] for line in said.out.splitlines()[-2:]] == [
        "shop.others",
        "shop.things",
    ]


def test_diff_tells_rows_and_bytes(dp, shop, lake):
    dp("backup")
    shop.append(things(30, 40))
    lake.catalog.drop_table("shop.others")
    dp("backup")
    gone, grown = dp("points", "diff", "1", "2", "--json").json
    assert (gone["table"], gone["change"], gone["rows"]) == ("shop.others", "removed", -24)
    assert (grown["table"], grown["change"], grown["rows"]) == ("shop.things", "changed", 10)
    assert grown["size"] > 0
    assert "+10" in dp("points", "diff", "1", "2").out
    assert dp("points", "diff", "2", "2", "--json").json == []
