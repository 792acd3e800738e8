"""Which snapshot was current when, and what `--as-of` may say."""

import pytest

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.time_travel import AsOf, choose_snapshots, parse_as_of, snapshot_at
from dp_assets.ports.details import Head, History, SnapshotRow

ORDERS, ITEMS = TableId("raw", "orders"), TableId("raw", "items")


def history(
    *commits: tuple[int, int], heads: tuple[tuple[int, int], ...] = (), parent=None
) -> History:
    """Commits as (time, id), oldest first, each on the one before it."""
    rows, last = [], parent
    for at_ms, snapshot_id in commits:
        rows.append(SnapshotRow(snapshot_id, parent_id=last, committed_ms=at_ms))
        last = snapshot_id
    return History(tuple(reversed(rows)), tuple(Head(*h) for h in heads or commits))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7204617362914", AsOf(snapshot_id=7204617362914)),
        ("1970-01-02", AsOf(at_ms=86_400_000)),
        ("1970-01-01T00:00:01", AsOf(at_ms=1_000)),
        ("1970-01-01T00:00:01.234Z", AsOf(at_ms=1_234)),
        ("1970-01-01 02:00:01+02:00", AsOf(at_ms=1_000)),
    ],
)
def test_a_number_is_a_snapshot_and_anything_iso_a_time(text, expected):
    assert parse_as_of(text) == expected


@pytest.mark.parametrize("text", ["yesterday", "-5", "1.5", "2013-02-30", "12:00"])
def test_anything_else_is_refused(text):
    with pytest.raises(ConfigurationError, match="neither a snapshot id nor a time"):
        parse_as_of(text)


@pytest.mark.parametrize(("at_ms", "expected"), [(10, 1), (19, 1), (20, 2), (99, 3)])
def test_a_snapshot_is_current_from_its_commit_until_the_next(at_ms, expected):
    assert snapshot_at(ORDERS, history((10, 1), (20, 2), (30, 3)), at_ms=at_ms) == expected


def test_after_a_rollback_the_older_snapshot_is_current_again():
    found = history((10, 1), (20, 2), heads=((10, 1), (20, 2), (30, 1)))
    assert snapshot_at(ORDERS, found, at_ms=25) == 2
    assert snapshot_at(ORDERS, found, at_ms=30) == 1


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (history((10, 1)), "its first commit was at 1970-01-01T00:00:00Z"),
        (history((10, 2), parent=1), "what was before 1970-01-01T00:00:00Z is expired"),
        (history((10, 2), parent=1, heads=((3, 1), (10, 2))), "is expired"),
        (history(), "it has none at all"),
    ],
)
def test_before_the_first_kept_snapshot_it_says_why_there_is_none(found, why):
    with pytest.raises(ConfigurationError, match=r"raw\.orders has no snapshot of 1970") as refused:
        snapshot_at(ORDERS, found, at_ms=5)
    assert why in refused.value.what


def test_a_moment_applies_to_every_table():
    histories = {ORDERS: history((10, 1), (20, 2)), ITEMS: history((5, 7), (15, 8))}
    assert choose_snapshots(AsOf(at_ms=12), histories) == {ORDERS: 1, ITEMS: 7}


def test_a_snapshot_applies_to_the_table_that_has_it():
    histories = {ORDERS: history((10, 1), (20, 2)), ITEMS: history((5, 7))}
    assert choose_snapshots(AsOf(snapshot_id=1), histories) == {ORDERS: 1}


def test_a_snapshot_of_no_table_is_refused_with_the_newest_of_each():
    histories = {ORDERS: history((10, 1), (20, 2)), ITEMS: history()}
    with pytest.raises(ConfigurationError) as refused:
        choose_snapshots(AsOf(snapshot_id=9), histories)
    assert refused.value.what == "no table of the query has snapshot 9"
    assert refused.value.hint == "newest snapshots are raw.orders: 2, 1; raw.items: none"
