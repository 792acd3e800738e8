import pytest

from dp_assets.adapters.metadata_facts import Totals, facts_of, summary_totals, type_text
from dp_assets.core.ids import TableId

TABLE = TableId("raw", "t")
TOTALS = {
    "total-records": "10",
    "total-data-files": "3",
    "total-files-size": "900",
    "total-delete-files": "1",
    "total-position-deletes": "4",
}
FIELDS = [
    {"id": 1, "name": "id", "type": "long", "required": True, "doc": "Key."},
    {
        "id": 2,
        "name": "at",
        "required": False,
        "type": {
            "type": "struct",
            "fields": [{"id": 3, "name": "day", "type": "date", "required": False}],
        },
    },
]
SPEC = [
    {"name": "m", "transform": "month", "source-id": 3, "field-id": 1000},
    {"name": "b", "transform": "bucket[4]", "source-ids": [1], "field-id": 1001},
    {"name": "old", "transform": "void", "source-id": 9, "field-id": 1002},
    {"name": "gone", "transform": "identity", "source-id": 9, "field-id": 1003},
]
V1 = {"format-version": 1, "schema": {"type": "struct", "fields": FIELDS}, "partition-spec": SPEC}
V3 = {
    "format-version": 3,
    "table-uuid": "u",
    "location": "s3://b/t",
    "current-schema-id": 1,
    "schemas": [
        {"schema-id": 0, "type": "struct", "fields": []},
        {"schema-id": 1, "type": "struct", "fields": FIELDS},
    ],
    "default-spec-id": 2,
    "partition-specs": [{"spec-id": 0, "fields": []}, {"spec-id": 2, "fields": SPEC}],
    "current-snapshot-id": 5,
    "snapshots": [
        {"snapshot-id": 4, "timestamp-ms": 1},
        {"snapshot-id": 5, "timestamp-ms": 7, "summary": {"operation": "append", **TOTALS}},
    ],
    "properties": {"owner": "root", "dp.writer": "raw/t", "comment": "Words."},
    "next-row-id": 10,
    "a-field-of-version-9": {"x": 1},
}


def never(_snapshot):
    raise AssertionError("the summary has it all")


def facts(metadata, count=never):
    return facts_of(metadata, table=TABLE, pointer="p", count=count)


def test_everything_is_taken_from_the_current_snapshot_schema_and_spec():
    found = facts(V3)
    assert (found.rows, found.files, found.bytes, found.delete_files) == (6, 3, 900, 1)
    assert (found.snapshots, found.last_commit_ms, found.head_snapshot_id) == (2, 7, 5)
    assert (found.uuid, found.location, found.format_version) == ("u", "s3://b/t", 3)
    assert (found.owner, found.writer, found.adopted) == ("root", "raw/t", True)
    assert found.partition_spec == "month(at.day), bucket[4](id), gone"
    assert [tuple(c) for c in found.columns] == [
        ("id", "long", True, "Key."),
        ("at", "struct<day: date>", False, ""),
    ]
    assert (found.comment, found.problem) == ("Words.", "")


@pytest.mark.parametrize("no_snapshot", [{}, {"current-snapshot-id": -1}])
def test_version_1_without_snapshots_has_nothing_in_it(no_snapshot):
    found = facts({**V1, **no_snapshot})
    assert (found.rows, found.files, found.bytes, found.delete_files) == (0, 0, 0, 0)
    assert (found.snapshots, found.last_commit_ms, found.head_snapshot_id) == (0, None, None)
    assert found.partition_spec == "month(at.day), bucket[4](id), gone"
    assert len(found.columns) == 2


@pytest.mark.parametrize(
    ("properties", "adopted"),
    [({}, False), ({"dp.adopted": "false"}, False), ({"dp.adopted": "true"}, True)],
)
def test_a_table_is_foreign_until_adopted(properties, adopted):
    assert facts({**V1, "properties": properties}).adopted is adopted


@pytest.mark.parametrize("missing", TOTALS)
def test_the_manifests_are_counted_when_the_summary_lacks_a_total(missing):
    summary = {key: value for key, value in TOTALS.items() if key != missing}
    snapshot = {"snapshot-id": 5, "timestamp-ms": 7, "summary": summary}
    assert summary_totals(snapshot) is None
    counted = facts({**V3, "snapshots": [snapshot]}, count=lambda _: Totals(1, 2, 3, 4))
    assert (counted.rows, counted.files, counted.bytes, counted.delete_files) == (1, 2, 3, 4)


@pytest.mark.parametrize("dangling", [{"current-snapshot-id": 6}, {"current-schema-id": 6}])
def test_metadata_that_contradicts_itself_is_refused(dangling):
    with pytest.raises(ValueError, match="6 is not among the"):
        facts({**V3, **dangling})


def test_nested_types_are_written_out():
    listed = {"type": "list", "element": {"type": "map", "key": "string", "value": "uuid"}}
    assert type_text(listed) == "list<map<string, uuid>>"
    assert type_text({"type": "variant2"}) == "variant2"
