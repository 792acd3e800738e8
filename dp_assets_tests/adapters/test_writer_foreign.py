"""Tables as other engines left them: versions, unknown fields, row-level deletes, columns."""

import json
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.manifest import ManifestContent
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, StringType

from dp_assets.core.errors import PermanentError
from dp_assets_tests.adapters.orders import (
    MONDAY,
    ORDERS,
    OTHER_RUN,
    RUN,
    TUESDAY,
    Lake,
    orders,
)
from dp_assets_tests.adapters.row_deletes import delete_positions, delete_where_id
from dp_assets_tests.adapters.table_checks import (
    check_totals,
    manifests,
    path_of,
)

JANUARY = Record(43 * 12)
KEY = {"key-id": "k1", "encrypted-key-metadata": "AAAA"}


def edit(lake: Lake, **fields: Any) -> None:
    """Another writer's metadata file: ours with ``fields`` on top."""
    old = lake.pointer()
    path = path_of(old).with_name("00020-edited.metadata.json")
    path.write_text(json.dumps({**lake.raw(), **fields}))
    lake.move_pointer(f"file://{path}", old=old)


@pytest.fixture
def merged(lake: Lake) -> Lake:
    """Monday's and Tuesday's rows in one file."""
    lake.put(MONDAY, [])
    lake.table().append(pa.concat_tables([orders(MONDAY, [1, 2]), orders(TUESDAY, [3, 4])]))
    return lake


def data_file(lake: Lake) -> str:
    [task] = lake.table().scan().plan_files()
    return task.file.file_path


def test_fields_that_we_do_not_know_survive(lake: Lake):
    lake.put(MONDAY, [1])
    unknown = {"encryption-keys": [KEY], "x-vendor": {"a": [1, None]}}
    snapshots = [{**lake.raw()["snapshots"][0], "key-id": "k1"}]
    kept = {"snapshot-id": snapshots[0]["snapshot-id"], "type": "tag", "max-ref-age-ms": 5}
    main = {**lake.raw()["refs"]["main"], "min-snapshots-to-keep": 7}
    edit(lake, **unknown, snapshots=snapshots, refs={"main": main, "audit": kept})
    lake.put(TUESDAY, [2])
    raw = lake.raw()
    assert {key: raw[key] for key in unknown} == unknown
    assert raw["snapshots"][0]["key-id"] == "k1"
    assert raw["refs"]["audit"] == kept
    assert raw["refs"]["main"]["min-snapshots-to-keep"] == 7
    assert lake.ids() == {MONDAY: [1], TUESDAY: [2]}


def test_the_metadata_log_names_the_file_before_and_stays_short(lake: Lake):
    lake.put(MONDAY, [1])
    edit(lake, properties={**lake.raw()["properties"], "write.metadata.previous-versions-max": "2"})
    for number in range(4):
        before = lake.pointer()
        lake.put(TUESDAY, [number], run=OTHER_RUN)
        log = [entry["metadata-file"] for entry in lake.raw()["metadata-log"]]
        assert log[-1] == before
    assert len(log) == 2


def test_a_version_1_table_is_written(lake: Lake):
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.transforms import MonthTransform

    spec = PartitionSpec(PartitionField(1, 1000, MonthTransform(), "day_month"))
    lake.catalog.create_namespace("raw")
    table = lake.catalog.create_table(
        ORDERS.table.identifier,
        ORDERS.schema,
        partition_spec=spec,
        properties={"format-version": "1", "dp.adopted": "true"},
    )
    table.append(pa.concat_tables([orders(MONDAY, [1, 2]), orders(TUESDAY, [3])]))
    lake.put(MONDAY, [7])
    lake.put(TUESDAY, [8, 9])
    assert lake.ids() == {MONDAY: [7], TUESDAY: [8, 9]}
    assert lake.raw()["format-version"] == 1
    assert "last-sequence-number" not in lake.raw()
    assert not any("sequence-number" in s for s in lake.raw()["snapshots"])
    check_totals(lake.table())


def test_a_version_3_table_is_refused_in_words(lake: Lake):
    lake.put(MONDAY, [1])
    edit(lake, **{"format-version": 3, "next-row-id": 0})
    with pytest.raises(PermanentError, match=r"raw\.orders has format version 3"):
        lake.writer().replace(ORDERS, orders(MONDAY, [2]), partition=MONDAY, run=RUN)


def test_rows_deleted_by_position_stay_deleted(merged: Lake):
    """Row 3 (second of Tuesday) was deleted in place; rewriting its file must not bring it back."""
    delete_positions(merged, partition=JANUARY, deletes=[(data_file(merged), 3)])
    assert merged.ids() == {MONDAY: [1, 2], TUESDAY: [3]}
    merged.put(MONDAY, [7], run=OTHER_RUN)
    assert merged.ids() == {MONDAY: [7], TUESDAY: [3]}
    merged.put(TUESDAY, [8], run=OTHER_RUN)
    assert merged.ids() == {MONDAY: [7], TUESDAY: [8]}


def test_delete_manifests_are_carried_for_files_that_stay(merged: Lake):
    delete_positions(merged, partition=JANUARY, deletes=[(data_file(merged), 0)])
    merged.put("2013-02-01", [5])
    assert merged.ids() == {MONDAY: [2], TUESDAY: [3, 4], "2013-02-01": [5]}
    assert [m.content for m in manifests(merged.table())].count(ManifestContent.DELETES) == 1


def test_a_shared_file_under_equality_deletes_is_refused_in_words(merged: Lake):
    delete_where_id(merged, [4], partition=JANUARY)
    before = merged.pointer()
    with pytest.raises(PermanentError, match=r"raw/orders holds files shared .*equality deletes"):
        merged.put(MONDAY, [7], run=OTHER_RUN)
    assert merged.pointer() == before


def test_a_new_row_is_not_hit_by_an_older_equality_delete(lake: Lake):
    """The same id again, after it was deleted: newer sequence number, so it is there."""
    lake.put(MONDAY, [1, 2])
    delete_where_id(lake, [2], partition=JANUARY)
    lake.put(MONDAY, [2], run=OTHER_RUN)
    assert [row[1] for row in lake.rows_by_duckdb()] == [2]


def test_columns_that_others_added_keep_their_values_in_a_rewritten_file(merged: Lake):
    """Somebody's new column is not declared here; its values on Tuesday are not ours to drop."""
    with merged.table().update_schema() as update:
        update.add_column("extra", StringType())
    rows = pa.concat_tables([orders(MONDAY, [1, 2]), orders(TUESDAY, [3, 4])])
    merged.table().overwrite(rows.append_column("extra", pa.array(list("abcd"))))
    merged.put(MONDAY, [7], run=OTHER_RUN)
    assert {row[1]: row[3] for row in merged.rows()} == {7: None, 3: "c", 4: "d"}
    check_totals(merged.table())


def test_values_that_only_fit_a_widened_column_survive_a_rewrite(merged: Lake):
    with merged.table().update_schema() as update:
        update.update_column("id", LongType())
    large = orders(TUESDAY, [0]).set_column(1, "id", pa.array([2**40]))
    rows = orders(MONDAY, [1])
    merged.table().overwrite(
        pa.concat_tables([rows.set_column(1, "id", rows["id"].cast(pa.int64())), large])
    )
    merged.put(MONDAY, [7], run=OTHER_RUN)
    assert merged.ids() == {MONDAY: [7], TUESDAY: [2**40]}


def test_a_table_partitioned_anew_is_replaced_by_day_all_the_same(merged: Lake):
    """Old files keep the monthly spec, new ones get the daily: one manifest each."""
    with merged.table().update_spec() as update:
        update.remove_field("day_month").add_field("day", "day", "day_day")
    merged.put(MONDAY, [7], run=OTHER_RUN)
    merged.put("2013-01-10", [8], run=OTHER_RUN)
    merged.put(MONDAY, [9], run=RUN)
    assert merged.ids() == {MONDAY: [9], TUESDAY: [3, 4], "2013-01-10": [8]}
    check_totals(merged.table())


def test_time_travel_reads_what_was_replaced(merged: Lake):
    before = merged.raw()["current-snapshot-id"]
    merged.put(MONDAY, [7], run=OTHER_RUN)
    then = merged.table().scan(snapshot_id=before).to_arrow()
    assert sorted(then["id"].to_pylist()) == [1, 2, 3, 4]


def test_rows_without_a_day_survive_in_the_file_of_the_day(lake: Lake):
    """In a table that its maker did not partition, one file may hold both."""
    lake.catalog.create_namespace("raw")
    table = lake.catalog.create_table(
        ORDERS.table.identifier, ORDERS.schema, properties={"dp.adopted": "true"}
    )
    table.append(pa.concat_tables([orders(MONDAY, [1]), orders(None, [9])]))
    lake.put(MONDAY, [7])
    assert lake.ids() == {MONDAY: [7], None: [9]}
