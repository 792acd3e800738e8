"""Which commits are recognised as landed, and what makes a replacement run again."""

import json

import pytest

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot, ancestors
from dp_assets_tests.adapters.orders import (
    MONDAY,
    NAMES,
    ORDERS,
    OTHER_RUN,
    RETRY,
    RUN,
    TUESDAY,
    Lake,
    names,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    path_of,
)


def snapshots(lake: Lake) -> int:
    return len(lake.table().snapshots())


@pytest.fixture
def monday(lake: Lake) -> Lake:
    lake.put(MONDAY, [1, 2])
    return lake


def add_replace_snapshot(lake: Lake) -> None:
    """What a compaction leaves: another snapshot of the same content, by Iceberg's own word."""
    raw, pointer = lake.raw(), lake.pointer()
    head = next(ancestors(raw))
    new = NewSnapshot(
        snapshot_id=77,
        timestamp_ms=raw["last-updated-ms"] + 1,
        manifest_list=head["manifest-list"],
        summary={**head["summary"], "operation": "replace", "dp.partition": "*"},
        schema_id=0,
    )
    path = path_of(pointer).with_name("00009-compacted.metadata.json")
    path.write_text(json.dumps(add_snapshot(raw, new, previous_location=pointer)))
    lake.move_pointer(f"file://{path}", old=pointer)


def test_the_same_rows_of_a_retry_are_not_committed_again(monday: Lake):
    before = monday.table().current_snapshot()
    written = monday.writer().replace(ORDERS, orders(MONDAY, [1, 2]), partition=MONDAY, run=RETRY)
    assert written.repeated
    assert before is not None
    assert written.snapshot_id == before.snapshot_id
    assert snapshots(monday) == 1
    assert monday.ids() == {MONDAY: [1, 2]}


def test_a_commit_to_another_day_in_between_is_passed_over(monday: Lake):
    monday.put(TUESDAY, [3], run=OTHER_RUN)
    monday.put(MONDAY, [1, 2], run=RETRY)
    assert snapshots(monday) == 2
    assert monday.ids() == {MONDAY: [1, 2], TUESDAY: [3]}


def test_a_compaction_in_between_is_passed_over(monday: Lake):
    add_replace_snapshot(monday)
    monday.put(MONDAY, [1, 2], run=RETRY)
    assert snapshots(monday) == 2
    assert monday.ids() == {MONDAY: [1, 2]}


def test_another_root_run_replaces(monday: Lake):
    monday.put(MONDAY, [1, 2], run=OTHER_RUN)
    assert snapshots(monday) == 2
    assert monday.ids() == {MONDAY: [1, 2]}


@pytest.mark.parametrize(
    ("ids", "note"),
    [
        pytest.param([1, 3], "new", id="a-row-differs"),
        pytest.param([2, 1], "new", id="the-order-differs"),
        pytest.param([1, 2], "other", id="a-value-differs"),
        pytest.param([], "new", id="no-rows"),
    ],
)
def test_other_rows_of_the_same_run_replace(monday: Lake, ids: list[int], note: str):
    monday.put(MONDAY, ids, run=RETRY, note=note)
    assert snapshots(monday) == 2
    assert monday.ids() == ({MONDAY: sorted(ids)} if ids else {})


def test_a_foreign_write_in_between_is_replaced(monday: Lake):
    monday.table().append(orders(MONDAY, [50]))
    monday.put(MONDAY, [1, 2], run=RETRY)
    assert snapshots(monday) == 3
    assert monday.ids() == {MONDAY: [1, 2]}


def test_a_foreign_delete_in_between_is_replaced(monday: Lake):
    monday.table().delete("id = 1")
    monday.put(MONDAY, [1, 2], run=RETRY)
    assert monday.ids() == {MONDAY: [1, 2]}


def test_a_rollback_in_between_is_replaced(monday: Lake):
    old = monday.pointer()
    first = monday.table().current_snapshot()
    monday.put(MONDAY, [7], run=OTHER_RUN)
    raw = {**monday.raw(), "current-snapshot-id": first.snapshot_id if first else None}
    raw["refs"] = {"main": {"type": "branch", "snapshot-id": raw["current-snapshot-id"]}}
    path = path_of(old).with_name("00009-rolled.metadata.json")
    path.write_text(json.dumps(raw))
    monday.move_pointer(f"file://{path}", old=monday.pointer())
    monday.put(MONDAY, [7], run=OTHER_RUN)
    assert monday.ids() == {MONDAY: [7]}


def test_a_whole_table_is_recognised_too(lake: Lake):
    for _ in range(2):
        writer = lake.writer()
        writer.ensure(NAMES)
        writer.replace(NAMES, names([1]), partition=None, run=RUN)
    assert len(lake.table(NAMES).snapshots()) == 1


def test_a_dropped_and_created_table_has_nothing_that_landed(monday: Lake):
    writer = monday.writer()
    writer.replace(ORDERS, orders(MONDAY, [1, 2]), partition=MONDAY, run=RETRY)
    monday.catalog.drop_table(ORDERS.table.identifier)
    writer.ensure(ORDERS)
    written = writer.replace(ORDERS, orders(MONDAY, [1, 2]), partition=MONDAY, run=RETRY)
    assert not written.repeated
    assert monday.ids() == {MONDAY: [1, 2]}
