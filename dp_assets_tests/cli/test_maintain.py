"""`dp maintain` on a real table."""

from functools import partial
from itertools import count

import pytest

from dp_assets.core.units import HOUR_MS
from dp_assets.lakehouse import opened
from dp_assets.usecases.maintenance import maintaining
from dp_assets_tests.cli.things import make_things, things


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


def files(table):
    return {task.file.file_path for task in table.refresh().scan().plan_files()}


def test_shown_then_done_exactly_so(dp, table):
    before, pointer = rows(table), table.refresh().metadata_location
    shown = dp("maintain", "shop.things", "--only", "compaction", "--dry-run", "--json")
    assert shown.code == 0, shown.err
    ((group,),) = [one["plan"]["groups"] for one in shown.json]
    assert set(group["inputs"]) <= files(table)
    assert table.refresh().metadata_location == pointer
    done = dp("maintain", "shop.things", "--only", "compaction")
    assert done.code == 0, done.err
    assert "compaction of shop.things: done" in done.out
    assert rows(table) == before
    assert set(group["inputs"]).isdisjoint(files(table))
    assert "ops.journal" in dp("tables").out
    assert "compaction" in dp("why", "shop.things", "compaction").out.split("Last attempts")[1]
    assert "nothing to do" in dp("maintain", "shop.things", "--only", "compaction").out


def test_a_foreign_table_is_refused_and_another_one_is_done(dp, table):
    with opened() as lake:
        other = make_things(lake.catalog, "shop", "foreign")
    for number in range(6):
        other.append(things(number, number + 1))
    pointer = other.refresh().metadata_location
    done = dp("maintain", "shop.foreign", "shop.things", "--json")
    assert done.code == 3
    ends = {(one["table"], one["operation"]): one.get("outcome") for one in done.json}
    assert ends["shop.foreign", "expiry"] == ends["shop.foreign", "compaction"] == "failed"
    assert ends["shop.things", "compaction"] == "done"
    assert other.refresh().metadata_location == pointer


def test_what_takes_longer_than_its_policy_allows_has_failed(dp, table, monkeypatch):
    hours = count(step=3 * HOUR_MS)
    late = partial(maintaining.maintain, clock=lambda: next(hours))
    monkeypatch.setattr(maintaining, "maintain", late)
    pointer = table.refresh().metadata_location
    done = dp("maintain", "shop.things", "--only", "manifests")
    assert done.code == 3
    assert "manifests of shop.things stopped after 6 h 0 min before its commit" in done.out
    assert "hint: run it again, it does what is left; or raise manifests.timeout" in done.out
    assert table.refresh().metadata_location == pointer


def test_a_size_that_no_metadata_say_is_not_shown_as_zero(dp, table):
    """Of manifest lists, which every old snapshot frees."""
    with table.transaction() as change:
        change.set_properties(
            {
                "history.expire.max-snapshot-age-ms": "1",
                "history.expire.min-snapshots-to-keep": "1",
            }
        )
    shown = dp("maintain", "shop.things", "--only", "expiry", "--dry-run")
    assert shown.code == 0, shown.err
    assert "files, more than" in shown.out


def test_each_operation_is_explained(dp, table):
    pointer = table.refresh().metadata_location
    said = dp("maintain", "shop.things", "--dry-run", "--explain")
    assert said.code == 0, said.err
    assert "compaction of shop.things is not due (next: not by time alone): too little" in said.out
    assert "orphans of shop.things is due: " in said.out
    whys = {
        one["operation"]: one["why"]
        for one in dp("maintain", "shop.things", "--dry-run", "--explain", "--json").json
    }
    shown = {one["operation"]: one for one in dp("why", "shop.things", "--json").json["operations"]}
    assert {name: why["due"] for name, why in whys.items()} == {
        name: one["due"] for name, one in shown.items()
    }
    assert whys["compaction"]["reasons"] == shown["compaction"]["reasons"]
    assert table.refresh().metadata_location == pointer


def test_nothing_due_is_no_error(dp, table):
    done = dp("maintain", "--only", "compaction")
    assert (done.code, done.out.startswith("nothing is due")) == (0, True)


@pytest.mark.parametrize("words", [("--only", "tidying"), ("no.table",)])
def test_bad_usage(dp, table, words):
    assert dp("maintain", *words).code == 2
