"""Replacing on a real table: what is in it afterwards, by both engines."""

import datetime as dt

import pyarrow as pa
import pytest
from pyiceberg.manifest import DataFileContent

from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.orders import (
    MONDAY,
    NAMES,
    ORDERS,
    OTHER_RUN,
    RUN,
    TUESDAY,
    WEDNESDAY,
    Lake,
    names,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    check_totals,
    manifests,
)


@pytest.fixture
def merged(lake: Lake) -> Lake:
    """Monday and Tuesday in one file that another writer merged, beside a row without a day."""
    lake.put(MONDAY, [1, 2])
    lake.put(TUESDAY, [3])
    table = lake.table()
    lost = orders(None, [9])
    table.overwrite(pa.concat_tables([orders(MONDAY, [1, 2]), orders(TUESDAY, [3])]))
    table.append(lost)
    assert {f.file.record_count for f in table.scan().plan_files()} == {3, 1}
    return lake


def test_creates_the_table_as_declared(lake: Lake):
    lake.put(MONDAY, [1, 2])
    assert lake.ids() == {MONDAY: [1, 2]}
    table = lake.table()
    assert [f.name for f in table.schema().fields] == ["day", "id", "note"]
    assert str(table.spec()) == "[\n  1000: day_month: month(1)\n]"
    assert table.format_version == 2
    assert table.properties["comment"] == ORDERS.comment


def test_replaces_one_day_and_leaves_the_others(lake: Lake):
    for day, ids in ((MONDAY, [1, 2]), (TUESDAY, [3]), ("2013-02-01", [4])):
        lake.put(day, ids)
    lake.put(TUESDAY, [5, 6], run=OTHER_RUN)
    assert lake.ids() == {MONDAY: [1, 2], TUESDAY: [5, 6], "2013-02-01": [4]}
    assert len(lake.table().snapshots()) == 4
    check_totals(lake.table())


def test_replaces_a_day_inside_a_merged_file(merged: Lake):
    merged.put(MONDAY, [7], run=OTHER_RUN)
    assert merged.ids() == {MONDAY: [7], TUESDAY: [3], None: [9]}
    check_totals(merged.table())


def test_replaces_a_day_in_a_file_that_another_engine_wrote_without_statistics(merged: Lake):
    table = merged.table()
    with table.transaction() as change:
        change.set_properties({"write.metadata.metrics.default": "none"})
    table.overwrite(pa.concat_tables([orders(MONDAY, [1, 2]), orders(TUESDAY, [3])]))
    [file] = [task.file for task in merged.table().scan().plan_files()]
    assert not file.lower_bounds
    merged.put(TUESDAY, [8], run=OTHER_RUN)
    assert merged.ids() == {MONDAY: [1, 2], TUESDAY: [8]}


def test_a_file_of_null_days_survives_and_is_not_rewritten_for_another_month(merged: Lake):
    before = {t.file.file_path for t in merged.table().scan().plan_files()}
    merged.put("2014-05-01", [7])
    after = {t.file.file_path for t in merged.table().scan().plan_files()}
    assert before < after
    assert merged.ids()[None] == [9]


def test_an_empty_day_empties_the_day(merged: Lake):
    merged.put(MONDAY, [])
    assert merged.ids() == {TUESDAY: [3], None: [9]}
    check_totals(merged.table())


def test_an_empty_day_of_an_empty_table_is_a_commit(lake: Lake):
    snapshot = lake.put(MONDAY, [])
    assert lake.ids() == {}
    assert lake.raw()["current-snapshot-id"] == snapshot
    lake.put(MONDAY, [1], run=OTHER_RUN)
    assert lake.ids() == {MONDAY: [1]}


def test_replaces_an_unpartitioned_table_whole(lake: Lake):
    writer = lake.writer()
    writer.ensure(NAMES)
    writer.replace(NAMES, names([1, 2, 3]), partition=None, run=RUN)
    writer.replace(NAMES, names([4]), partition=None, run=OTHER_RUN)
    assert lake.rows(NAMES) == [(4, "name 4")]
    assert len(manifests(lake.table(NAMES))) == 1
    check_totals(lake.table(NAMES))


def test_appends_and_remembers_the_batches(lake: Lake):
    writer = lake.writer()
    writer.ensure(NAMES)
    writer.append(NAMES, names([1]), batches=("a", "b"))
    writer.append(NAMES, names([2]), batches=("c",))
    assert lake.rows(NAMES) == [(1, "name 1"), (2, "name 2")]
    assert writer.landed_batches(NAMES.table) == {"a", "b", "c"}
    check_totals(lake.table(NAMES))


def test_a_month_of_daily_commits_is_one_manifest(lake: Lake):
    writer = lake.writer()
    writer.ensure(ORDERS)
    days = [(dt.date(2013, 3, 1) + dt.timedelta(n)).isoformat() for n in range(31)]
    with writer.hold(ORDERS.table):
        for number, day in enumerate(days):
            writer.replace(ORDERS, orders(day, [number]), partition=day, run=RUN)
        writer.replace(ORDERS, orders(days[3], [99]), partition=days[3], run=OTHER_RUN)
    [manifest] = manifests(lake.table())
    assert manifest.content == DataFileContent.DATA
    assert lake.ids() == {day: [99 if n == 3 else n] for n, day in enumerate(days)}
    check_totals(lake.table())


def test_many_files_in_a_manifest_are_not_rewritten_each_time(lake: Lake, monkeypatch):
    monkeypatch.setattr("dp_assets.adapters.iceberg_replacement.MERGED_FILES", 3)
    for day in range(1, 9):
        lake.put(f"2013-01-{day:02}", [day])
    assert len(manifests(lake.table())) == 2
    lake.put("2013-01-02", [22], run=OTHER_RUN)
    assert lake.ids() == {f"2013-01-{d:02}": [22 if d == 2 else d] for d in range(1, 9)}


def test_rows_written_in_any_column_order_fit(lake: Lake):
    writer = lake.writer()
    writer.ensure(ORDERS)
    rows = orders(WEDNESDAY, [1]).select(["note", "id", "day"])
    writer.replace(ORDERS, rows, partition=WEDNESDAY, run=RUN)
    assert lake.rows() == [(dt.date(2013, 1, 9), 1, "new")]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(orders(MONDAY, [1]).drop_columns(["note"]), id="column-missing"),
        pytest.param(orders(MONDAY, [1]).set_column(1, "id", pa.array(["x"])), id="wrong-type"),
        pytest.param(orders(MONDAY, [1]).set_column(1, "id", pa.array([2**40])), id="too-large"),
        pytest.param(orders(MONDAY, [1]).set_column(1, "id", pa.array([{"a": 1}])), id="nested"),
    ],
)
def test_rows_that_do_not_fit_change_nothing(lake: Lake, rows: pa.Table):
    lake.put(MONDAY, [1])
    with pytest.raises(PermanentError, match=r"rows for raw\.orders do not fit"):
        lake.writer().replace(ORDERS, rows, partition=MONDAY, run=OTHER_RUN)
    assert lake.ids() == {MONDAY: [1]}
