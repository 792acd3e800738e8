"""`dp maintain --only manifests` on a real table."""

import pytest

from dp_assets.lakehouse import opened
from dp_assets_tests.adapters.table_checks import manifests
from dp_assets_tests.cli.things import make_things, things

ONLY = ("maintain", "shop.things", "--only", "manifests")


@pytest.fixture
def table(home, dp):
    dp("init")
    with opened() as lake:
        made = make_things(lake.catalog)
        for number in range(6):
            made.append(things(1000 + number, 1001 + number))
        with made.transaction() as change:
            change.set_properties({"dp.adopted": "true"})
        yield made


def rows(table):
    return sorted(table.refresh().scan().to_arrow()["id"].to_pylist())


def test_shown_then_done_exactly_so(dp, table):
    before, pointer = rows(table), table.refresh().metadata_location
    listed = {one.manifest_path for one in manifests(table)}
    shown = dp(*ONLY, "--dry-run", "--json")
    assert shown.code == 0, shown.err
    (said,) = [one["plan"] for one in shown.json]
    (pile,) = said["piles"]
    assert set(pile["manifests"]) == listed
    assert (said["manifests"], said["expected"], pile["deletes"]) == (len(listed), 1, False)
    words = dp(*ONLY, "--dry-run").out
    assert f"{len(listed)} manifests become about 1" in words
    assert "data, spec 0" in words
    assert table.refresh().metadata_location == pointer
    done = dp(*ONLY)
    assert done.code == 0, done.err
    assert "manifests of shop.things: done" in done.out
    assert rows(table) == before
    (left,) = manifests(table)
    assert left.manifest_path not in listed
    assert "manifests" in dp("why", "shop.things", "manifests").out.split("Last attempts")[1]
    assert "nothing to do" in dp(*ONLY).out


def test_what_is_refused_says_why(dp, table):
    with table.refresh().transaction() as change:
        change.set_properties({"commit.manifest.target-size-bytes": "8 MB"})
    shown = dp(*ONLY, "--json")
    assert shown.code == 1
    assert "'8 MB'" in shown.json[0]["plan"]["refused"]
