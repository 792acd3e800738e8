"""Table metadata as the JSON it is: read whole, edited by field, nothing unknown dropped.

PyIceberg's models drop fields they do not know and deep-copy the whole history about 19 times per
commit (measured: 230 ms of a 240 ms append at 200 snapshots). A commit needs to add one snapshot,
move one ref and append to two logs; that is what these functions do.

Source of the field names and rules: Iceberg table specification, "Table Metadata Fields".
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from pyiceberg.io import FileIO

from dp_assets.core.errors import PermanentError

MAIN = "main"
PREVIOUS_VERSIONS = "write.metadata.previous-versions-max"
PREVIOUS_VERSIONS_DEFAULT = 100

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewSnapshot:
    """What a commit adds; ``summary`` holds the operation too. Times in epoch milliseconds.

    Attributes:
        first_row_id, added_rows: version 3: the row ids that the commit takes; else None.
    """

    snapshot_id: int
    timestamp_ms: int
    manifest_list: str
    summary: Mapping[str, str]
    schema_id: int
    first_row_id: int | None = None
    added_rows: int | None = None


def read_metadata(io: FileIO, location: str) -> Json:
    """The metadata file at ``location``, gzip included.

    Raises:
        PermanentError: missing, empty, cut or not JSON, with the way back.
    """
    hint = "run 'dp doctor': it names the pointer to go back to"
    try:
        with io.new_input(location).open() as stream:
            data = stream.read()
    except FileNotFoundError as error:
        raise PermanentError(f"metadata file {location} is missing", hint=hint) from error
    if not data:
        raise PermanentError(f"metadata file {location} is empty", hint=hint)
    try:
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        parsed: object = json.loads(text)
    except (OSError, EOFError, ValueError, zlib.error, RecursionError) as error:
        raise PermanentError(f"metadata file {location} is damaged: {error}", hint=hint) from error
    if not isinstance(parsed, dict) or "format-version" not in parsed:
        raise PermanentError(f"{location} is not Iceberg table metadata", hint=hint)
    return cast("Json", parsed)


def head_id(metadata: Json) -> int | None:
    """The current snapshot id; some writers say ``-1`` for none."""
    current = metadata.get("current-snapshot-id")
    return None if current in (None, -1) else cast("int", current)


def ancestors(metadata: Json) -> Iterator[Json]:
    """The current snapshot and its parents, newest first, as far as they are kept."""
    by_id = {s["snapshot-id"]: s for s in metadata.get("snapshots") or ()}
    at = head_id(metadata)
    while at is not None and (snapshot := by_id.get(at)):
        yield snapshot
        at = snapshot.get("parent-snapshot-id")


def slim(metadata: Json) -> dict[str, Any]:
    """Without history: schemas, specs, properties and location stay, for PyIceberg's models."""
    empty = {"snapshots": [], "snapshot-log": [], "metadata-log": [], "refs": {}, "statistics": []}
    kept = {k: v for k, v in metadata.items() if k not in ("current-snapshot-id", *empty)}
    return {**kept, **empty, "partition-statistics": []}


def next_timestamp_ms(metadata: Json, now_ms: int) -> int:
    """``now_ms``, but never at or before the last change: snapshot order must follow time."""
    return max(now_ms, int(metadata.get("last-updated-ms") or 0) + 1)


def next_sequence(metadata: Json) -> int:
    """The sequence number of the next commit."""
    return int(metadata.get("last-sequence-number") or 0) + 1


def snapshot_json(metadata: Json, new: NewSnapshot) -> dict[str, Any]:
    """``new`` as a snapshot on top of the current one."""
    snapshot: dict[str, Any] = {
        "snapshot-id": new.snapshot_id,
        "timestamp-ms": new.timestamp_ms,
        "summary": dict(new.summary),
        "manifest-list": new.manifest_list,
        "schema-id": new.schema_id,
    }
    parent = head_id(metadata)
    if parent is not None:
        snapshot["parent-snapshot-id"] = parent
    if metadata["format-version"] > 1:
        snapshot["sequence-number"] = next_sequence(metadata)
    if new.added_rows is not None:
        snapshot |= {"first-row-id": new.first_row_id, "added-rows": new.added_rows}
    return snapshot


def main_ref(metadata: Json, snapshot_id: int) -> dict[str, Any]:
    """The main branch at ``snapshot_id``, with the retention it had."""
    return {
        **(metadata.get("refs") or {}).get(MAIN, {}),
        "snapshot-id": snapshot_id,
        "type": "branch",
    }


def add_snapshot(metadata: Json, new: NewSnapshot, *, previous_location: str) -> dict[str, Any]:
    """``metadata`` with ``new`` as head of main and ``previous_location`` in the metadata log."""
    changed: dict[str, Any] = {
        "last-updated-ms": new.timestamp_ms,
        "current-snapshot-id": new.snapshot_id,
    }
    if metadata["format-version"] > 1:
        changed["last-sequence-number"] = next_sequence(metadata)
    if new.added_rows is not None:
        changed["next-row-id"] = (new.first_row_id or 0) + new.added_rows
    log = {"snapshot-id": new.snapshot_id, "timestamp-ms": new.timestamp_ms}
    return {
        **metadata,
        **changed,
        "snapshots": [*(metadata.get("snapshots") or ()), snapshot_json(metadata, new)],
        "snapshot-log": [*(metadata.get("snapshot-log") or ()), log],
        "metadata-log": _metadata_log(metadata, previous_location),
        "refs": {**(metadata.get("refs") or {}), MAIN: main_ref(metadata, new.snapshot_id)},
    }


def with_properties(
    metadata: Json, properties: Mapping[str, str], *, previous_location: str, now_ms: int
) -> dict[str, Any]:
    """``metadata`` with ``properties`` added and ``previous_location`` in the metadata log."""
    return {
        **metadata,
        "properties": {**(metadata.get("properties") or {}), **properties},
        "last-updated-ms": next_timestamp_ms(metadata, now_ms),
        "metadata-log": _metadata_log(metadata, previous_location),
    }


def _metadata_log(metadata: Json, previous_location: str) -> list[Any]:
    properties = metadata.get("properties") or {}
    kept = int(properties.get(PREVIOUS_VERSIONS, PREVIOUS_VERSIONS_DEFAULT))
    entry = {"metadata-file": previous_location, "timestamp-ms": metadata["last-updated-ms"]}
    return [*(metadata.get("metadata-log") or ()), entry][-max(kept, 1) :]
