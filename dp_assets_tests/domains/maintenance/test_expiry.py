"""Which snapshots and refs go."""

from typing import Any

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.core.units import DAY_MS, HOUR_MS
from dp_assets.domains.maintenance.expiry import ExpiryPlan, plan_expiry, without
from dp_assets.domains.maintenance.retention import Retention

NOW = 1_000 * DAY_MS
WEEK_AND_TWO = Retention(max_age_ms=7 * DAY_MS, min_snapshots=2)


def snapshot(number: int, days_ago: float, parent: int | None = None) -> dict[str, Any]:
    one = {"snapshot-id": number, "timestamp-ms": NOW - round(days_ago * DAY_MS)}
    return one if parent is None else {**one, "parent-snapshot-id": parent}


def line(*days_ago: float) -> list[dict[str, Any]]:
    """Snapshots 1, 2, ..., each on top of the one before."""
    return [snapshot(n, age, n - 1 if n > 1 else None) for n, age in enumerate(days_ago, start=1)]


def table(snapshots: list[dict[str, Any]], **fields: Any) -> dict[str, Any]:
    head = snapshots[-1]["snapshot-id"] if snapshots else None
    return {"format-version": 2, "current-snapshot-id": head, "snapshots": snapshots, **fields}


def gone(metadata: dict[str, Any], retention: Retention = WEEK_AND_TWO, **given: Any) -> list[int]:
    return list(plan_expiry(metadata, retention, now_ms=NOW, **given).snapshots)


def tag(number: int, **own: int) -> dict[str, Any]:
    return {"snapshot-id": number, "type": "tag", **own}


def branch(number: int, **own: int) -> dict[str, Any]:
    return {"snapshot-id": number, "type": "branch", **own}


@pytest.mark.parametrize(
    ("ages", "expected"),
    [
        pytest.param((30, 20, 10), [1], id="the-count-keeps-two-old-ones"),
        pytest.param((30, 6, 5, 4), [1], id="the-age-keeps-more"),
        pytest.param((3, 2, 1), [], id="all-young"),
        pytest.param((30,), [], id="the-current-one-stays"),
        pytest.param((), [], id="no-snapshot"),
        pytest.param((10, 7, 1, 0), [1], id="exactly-as-old-as-allowed-stays"),
    ],
)
def test_age_and_count_keep_what_either_keeps(ages, expected):
    assert gone(table(line(*ages))) == expected


def test_each_one_that_stays_says_why():
    plan = plan_expiry(table(line(30, 20, 6, 5), refs={"t": tag(1)}), WEEK_AND_TWO, now_ms=NOW)
    assert plan.kept == {
        4: "current",
        3: "one of the newest 2 of branch main",
        1: "tag t",
    }
    young = plan_expiry(table(line(30, 6, 5, 4)), WEEK_AND_TWO, now_ms=NOW)
    assert young.kept[2] == "younger than 7 d 0 h, on branch main"


def test_a_tag_keeps_its_snapshot_and_not_those_before():
    assert gone(table(line(30, 20, 15, 10), refs={"t": tag(2)})) == [1]


def test_a_branch_has_its_own_count_and_age():
    snapshots = [*line(40, 30, 20, 10), snapshot(5, 30, 1), snapshot(6, 25, 5), snapshot(7, 20, 6)]
    metadata = table(snapshots, refs={"side": branch(7, **{"min-snapshots-to-keep": 1})})
    metadata["current-snapshot-id"] = 4
    assert gone(metadata) == [1, 2, 5, 6]
    metadata["refs"]["side"] = branch(7, **{"max-snapshot-age-ms": 26 * DAY_MS})
    assert gone(metadata) == [1, 2, 5]


def test_a_property_of_the_table_comes_before_the_policy_and_a_ref_before_both():
    metadata = table(line(30, 20, 10, 5), properties={"history.expire.min-snapshots-to-keep": "3"})
    assert gone(metadata) == [1]
    metadata["properties"]["history.expire.max-snapshot-age-ms"] = str(40 * DAY_MS)
    assert gone(metadata) == []
    metadata["refs"] = {"main": branch(4, **{"max-snapshot-age-ms": 1, "min-snapshots-to-keep": 1})}
    assert gone(metadata) == [1, 2, 3]


def test_a_property_that_is_no_number_is_refused():
    metadata = table(line(1), properties={"history.expire.min-snapshots-to-keep": "many"})
    with pytest.raises(PermanentError, match="'many'"):
        gone(metadata)


def test_refs_go_by_their_own_age_only_and_main_never():
    refs = {
        "old": tag(1, **{"max-ref-age-ms": DAY_MS}),
        "young": tag(2, **{"max-ref-age-ms": 25 * DAY_MS}),
        "forever": tag(3),
        "main": branch(5, **{"max-ref-age-ms": 1}),
    }
    plan = plan_expiry(table(line(40, 20, 15, 12, 10), refs=refs), WEEK_AND_TWO, now_ms=NOW)
    assert plan.refs == (("old", 1),)
    assert plan.snapshots == (1,)
    assert set(plan.kept) == {2, 3, 4, 5}


def test_the_tables_age_of_refs_holds_where_they_have_none():
    metadata = table(
        line(40, 20, 10),
        refs={"a": tag(1), "b": tag(2, **{"max-ref-age-ms": 90 * DAY_MS})},
        properties={"history.expire.max-ref-age-ms": str(DAY_MS)},
    )
    assert plan_expiry(metadata, WEEK_AND_TWO, now_ms=NOW).refs == (("a", 1),)


@pytest.mark.parametrize("skew_ms", [-HOUR_MS, HOUR_MS, -DAY_MS, DAY_MS])
@pytest.mark.parametrize("place", range(6))
def test_one_wrong_clock_never_takes_a_later_snapshot_before_an_earlier_one(skew_ms, place):
    """Also one far behind: its snapshot is as young as what it stands on, so later ones stay."""
    snapshots = line(9, 8, 7.5, 6.9, 6.8, 6.7)
    for skew in (skew_ms, 30 * skew_ms):
        snapshots[place]["timestamp-ms"] += skew
        found = gone(table(snapshots), Retention(max_age_ms=7 * DAY_MS, min_snapshots=1))
        assert found == list(range(1, len(found) + 1))
        assert 6 not in found
        if skew < 0:
            assert set(found) <= {1, 2, 3, 4}


def test_what_a_rollback_gave_up_stays_as_long_as_it_could_be_taken_back():
    """Old snapshots, but in use until an hour ago: the log says so."""
    log = [{"snapshot-id": n, "timestamp-ms": NOW - (40 - 10 * n) * DAY_MS} for n in (1, 2, 3)]
    rolled = [*log, {"snapshot-id": 1, "timestamp-ms": NOW - HOUR_MS}]
    metadata = {**table(line(30, 20, 10)), "current-snapshot-id": 1, "snapshot-log": rolled}
    assert gone(metadata) == [2]  # left ten days ago
    rolled[-1]["timestamp-ms"] = NOW - 8 * DAY_MS
    assert gone(metadata) == [2, 3]
    assert gone({**metadata, "snapshot-log": []}) == [2, 3]


def test_a_young_snapshot_on_no_branch_stays():
    metadata = {**table([*line(30, 20, 10), snapshot(4, 1, 3)]), "current-snapshot-id": 3}
    assert gone(metadata) == [1]


def test_what_changed_since_the_plan_stays():
    """A tag made, a ref moved, a rollback: a run does what it has shown, or less."""
    before = table(line(40, 30, 20, 10), refs={"old": tag(1, **{"max-ref-age-ms": 1})})
    planned = plan_expiry(before, WEEK_AND_TWO, now_ms=NOW)
    assert (planned.snapshots, planned.refs) == ((1, 2), (("old", 1),))

    def again(metadata: dict[str, Any]) -> ExpiryPlan:
        return plan_expiry(metadata, WEEK_AND_TWO, now_ms=NOW, only=planned)

    assert again(before) == planned
    tagged = {**before, "refs": {**before["refs"], "new": tag(2)}}
    assert again(tagged).snapshots == (1,)
    moved = {**before, "refs": {"old": tag(2, **{"max-ref-age-ms": 1})}}
    assert (again(moved).snapshots, again(moved).refs) == ((1,), ())
    assert again({**before, "current-snapshot-id": 2, "refs": {}}).snapshots == ()
    more = again({**table(line(40, 30, 20, 10, 9, 8)), "refs": before["refs"]})
    assert more.snapshots == (1, 2)
    assert more.kept[3] == "not in the plan"


def test_parents_in_a_circle_end():
    snapshots = [snapshot(1, 30, 2), snapshot(2, 20, 1), snapshot(3, 1, 2)]
    assert gone(table(snapshots)) == [1]


def test_metadata_lose_what_goes_and_nothing_else():
    metadata = table(
        line(40, 30, 20, 10),
        refs={"main": branch(4), "old": tag(1), "t": tag(3)},
        statistics=[{"snapshot-id": n, "statistics-path": f"/{n}"} for n in (2, 4)],
        **{
            "partition-statistics": [{"snapshot-id": 2, "statistics-path": "/p"}],
            "snapshot-log": [{"snapshot-id": n, "timestamp-ms": n} for n in (1, 3, 2, 3, 4)],
            "unknown": {"kept": True},
        },
    )
    after = without(metadata, ExpiryPlan((1, 2), (("old", 1),), {}))
    assert [s["snapshot-id"] for s in after["snapshots"]] == [3, 4]
    assert after["snapshots"] == metadata["snapshots"][2:]
    assert set(after["refs"]) == {"main", "t"}
    assert [s["statistics-path"] for s in after["statistics"]] == ["/4"]
    assert after["partition-statistics"] == []
    # Nothing from before the gap: between 3 and 4 time travel would find 3 where 2 was.
    assert [entry["snapshot-id"] for entry in after["snapshot-log"]] == [3, 4]
    changed = {"snapshots", "refs", "statistics", "partition-statistics", "snapshot-log"}
    assert {n: v for n, v in after.items() if n not in changed} == {
        n: v for n, v in metadata.items() if n not in changed
    }


def test_fields_that_were_not_there_are_not_made():
    metadata = table(line(40, 30, 20))
    assert set(without(metadata, ExpiryPlan((1,), (), {}))) == set(metadata)
