"""Table metadata at its new place."""

import gzip
import json
from typing import Any

import pytest

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.moved_metadata import (
    encode_metadata,
    kept_history,
    moved_metadata,
    moved_pointer,
    parse_metadata,
)
from dp_assets.domains.backup.path_map import path_map

METADATA: dict[str, Any] = {
    "format-version": 1,
    "table-uuid": "a",
    "location": "/old/t",
    "properties": {"dp.adopted": "true", "write.data.path": "/old/t/data", "owner": "ann"},
    "snapshots": [
        {"snapshot-id": 1, "manifests": ["/old/t/m1.avro", "/old/t/m2.avro"]},
        {"snapshot-id": 2, "manifest-list": "/old/t/l.avro", "future": {"x": 1}},
    ],
    "snapshot-log": [{"snapshot-id": 1}, {"snapshot-id": 2}],
    "metadata-log": [{"metadata-file": "/old/t/v0.json"}],
    "refs": {"main": {"snapshot-id": 2}, "old": {"snapshot-id": 1}},
    "statistics": [{"snapshot-id": 1, "statistics-path": "/old/t/s.puffin"}],
    "unheard-of": [1, 2],
}
TO = path_map(METADATA, "/new/t")


def test_every_path_moves_and_what_is_unknown_stays():
    moved = moved_metadata(METADATA, TO)
    assert "/old" not in json.dumps(moved)
    assert moved["snapshots"][0]["manifests"] == ["/new/t/m1.avro", "/new/t/m2.avro"]
    assert moved["snapshots"][1] == {
        "snapshot-id": 2,
        "manifest-list": "/new/t/l.avro",
        "future": {"x": 1},
    }
    assert moved["properties"] == {**METADATA["properties"], "write.data.path": "/new/t/data"}
    assert moved["metadata-log"] == []
    assert (moved["unheard-of"], moved["table-uuid"]) == ([1, 2], "a")
    assert moved_metadata(METADATA, TO, uuid="b")["table-uuid"] == "b"


def test_a_part_of_the_history_is_left_as_an_expiry_leaves_it():
    kept = kept_history(METADATA, {2})
    assert [s["snapshot-id"] for s in kept["snapshots"]] == [2]
    assert kept["snapshot-log"] == [{"snapshot-id": 2}]
    assert list(kept["refs"]) == ["main"]
    assert kept["statistics"] == []
    assert kept_history(METADATA, {1, 2}) is METADATA


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reads_what_it_writes(pack: Any):
    assert parse_metadata(pack(encode_metadata(METADATA)), about="t") == METADATA


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\x1f\x8b1", b"\xff"])
def test_what_is_no_metadata_is_refused(content: bytes):
    with pytest.raises(PermanentError, match="t is no table metadata"):
        parse_metadata(content, about="t")


@pytest.mark.parametrize("name", ["3.metadata.json", "3.gz.metadata.json", "3.metadata.json.gz"])
def test_it_is_written_plain_and_named_so(name: str):
    assert moved_pointer(f"file:/old/t/{name}", TO) == "/new/t/3.metadata.json"
