"""Metadata files as they are found on a disk, and the edits a commit makes to them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO

from dp_assets.adapters.iceberg_json import (
    NewSnapshot,
    add_snapshot,
    ancestors,
    head_id,
    next_timestamp_ms,
    read_metadata,
    slim,
)
from dp_assets.core.errors import PermanentError

EMPTY_TABLE = {"format-version": 2, "last-updated-ms": 1000, "last-sequence-number": 0}
FIRST = NewSnapshot(11, 2000, "list-1.avro", {"operation": "append"}, schema_id=0)
SECOND = NewSnapshot(22, 3000, "list-2.avro", {"operation": "append"}, schema_id=0)


def read(path: Path) -> Any:
    return read_metadata(PyArrowFileIO(), str(path))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reads_metadata_plain_and_packed(tmp_path: Path, pack: Any):
    path = tmp_path / "v1.metadata.json"
    path.write_bytes(pack(json.dumps(EMPTY_TABLE).encode()))
    assert read(path) == EMPTY_TABLE


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(None, "is missing", id="missing"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b'{"format-version": 2, "sch', "is damaged", id="cut"),
        pytest.param(gzip.compress(b"{}" * 999)[:20], "is damaged", id="gzip-cut"),
        pytest.param(b"\x00" * 500, "is damaged", id="zeros"),
        pytest.param(b"[1, 2]", "is not Iceberg table metadata", id="other-json"),
        pytest.param(b'{"name": "x"}', "is not Iceberg table metadata", id="other-object"),
    ],
)
def test_says_what_is_wrong_with_a_metadata_file(tmp_path: Path, content: bytes | None, words: str):
    path = tmp_path / "v1.metadata.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PermanentError, match=words) as raised:
        read(path)
    assert str(path) in raised.value.what


def test_a_commit_adds_to_the_history_and_to_both_logs():
    one = add_snapshot(EMPTY_TABLE, FIRST, previous_location="m0.json")
    two = add_snapshot(one, SECOND, previous_location="m1.json")
    assert [s["snapshot-id"] for s in ancestors(two)] == [22, 11]
    assert [s["sequence-number"] for s in two["snapshots"]] == [1, 2]
    assert two["snapshots"][1]["parent-snapshot-id"] == 11
    assert "parent-snapshot-id" not in two["snapshots"][0]
    assert two["refs"] == {"main": {"snapshot-id": 22, "type": "branch"}}
    assert [e["snapshot-id"] for e in two["snapshot-log"]] == [11, 22]
    assert two["metadata-log"] == [
        {"metadata-file": "m0.json", "timestamp-ms": 1000},
        {"metadata-file": "m1.json", "timestamp-ms": 2000},
    ]
    assert (two["last-updated-ms"], two["last-sequence-number"]) == (3000, 2)
    assert EMPTY_TABLE == {"format-version": 2, "last-updated-ms": 1000, "last-sequence-number": 0}


@pytest.mark.parametrize(("current", "head"), [(None, None), (-1, None), (7, 7)])
def test_a_table_without_commits_has_no_head(current: int | None, head: int | None):
    assert head_id({"current-snapshot-id": current}) == head
    assert head_id({}) is None


def test_ancestors_end_where_history_was_expired():
    metadata = {
        "current-snapshot-id": 3,
        "snapshots": [{"snapshot-id": 3, "parent-snapshot-id": 2}, {"snapshot-id": 1}],
    }
    assert [s["snapshot-id"] for s in ancestors(metadata)] == [3]


@pytest.mark.parametrize(("now_ms", "chosen"), [(999, 1001), (1000, 1001), (5000, 5000)])
def test_time_never_stands_still(now_ms: int, chosen: int):
    assert next_timestamp_ms(EMPTY_TABLE, now_ms) == chosen


def test_slim_metadata_keeps_what_is_no_history():
    full = add_snapshot({**EMPTY_TABLE, "x": 1}, FIRST, previous_location="m0.json")
    assert slim(full)["x"] == 1
    assert slim(full)["snapshots"] == []
    assert "current-snapshot-id" not in slim(full)
