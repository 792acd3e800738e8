"""The last file of a commit before the metadata: its manifest list; and the snapshot over it.

The manifests that stay are carried as the list before has them, unknown fields included.

Source: Iceberg table specification, "Manifest Lists", "Snapshots", "Row Lineage".
"""

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from pyiceberg.manifest import UNASSIGNED_SEQ, ManifestFile
from pyiceberg.table.locations import load_location_provider

from dp_assets.adapters.iceberg_avro import (
    Schema,
    container_bytes,
    filled,
    list_schema,
    new_container,
    schema_of,
    taking,
)
from dp_assets.adapters.iceberg_json import NewSnapshot, head_id, next_sequence, next_timestamp_ms
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.recovery.avro_generic import Record, open_container
from dp_assets.core.errors import PermanentError

LINEAGE_VERSION = 3


@dataclass(frozen=True)
class Staged:
    """A commit whose files are all on disk; only the pointer has not moved.

    Attributes:
        written: the manifests and the list, which nothing names unless the pointer moves.
    """

    base: TableState
    snapshot: NewSnapshot
    written: tuple[str, ...] = ()


def stage_snapshot(
    state: TableState,
    lines: Iterable[Record],
    *,
    leave: Collection[str],
    snapshot_id: int,
    summary: Mapping[str, str],
    now_ms: int,
) -> Staged:
    """Write the manifest list of a snapshot on top of the current one. Nothing is visible yet.

    Args:
        state: the table.
        lines: the new manifests, by the names of the specification; see :func:`list_line`.
        leave: paths of manifests of the current snapshot that the new one does not have.
        snapshot_id: of the new snapshot.
        summary: of it, the operation included.
        now_ms: of it, unless the table's clock is ahead.

    Raises:
        PermanentError: the current snapshot has no manifest list, or one that this cannot carry.
    """
    version, new = state.raw["format-version"], list(lines)
    before, schema = current_lines(state)
    carried = (line for line in before if line["manifest_path"] not in leave)
    listed = [*(filled(line, schema) for line in new), *carried]
    first_row_id = int(state.raw.get("next-row-id") or 0)
    row_ids = _number_rows(listed, first_row_id) if version >= LINEAGE_VERSION else None
    location = metadata_file(state, f"snap-{snapshot_id}-0-{uuid.uuid4()}.avro")
    header = _header(state, snapshot_id, first_row_id=first_row_id)
    content = container_bytes(new_container(schema, header, name=location), listed)
    write_file(state, location, content)
    snapshot = NewSnapshot(
        snapshot_id=snapshot_id,
        timestamp_ms=next_timestamp_ms(state.raw, now_ms),
        manifest_list=location,
        summary=summary,
        schema_id=state.raw.get("current-schema-id", 0),
        first_row_id=None if row_ids is None else first_row_id,
        added_rows=row_ids,
    )
    return Staged(state, snapshot, (*(line["manifest_path"] for line in new), location))


def list_line(manifest: ManifestFile, *, sequence_number: int) -> Record:
    """A manifest that PyIceberg wrote, as a line; ``sequence_number`` is that of the commit."""
    names = (*_PLAIN, "sequence_number", "min_sequence_number")
    line: Record = {name: getattr(manifest, name) for name in names}
    for name in ("sequence_number", "min_sequence_number"):
        if line[name] == UNASSIGNED_SEQ:
            line[name] = sequence_number
    line["content"] = int(manifest.content)
    line["partitions"] = [
        {name: getattr(summary, name) for name in _SUMMARY} for summary in manifest.partitions or ()
    ]
    return line


def metadata_file(state: TableState, name: str) -> str:
    """Where a new metadata file of that name belongs."""
    properties: Mapping[str, str] = state.raw.get("properties") or {}
    provider = load_location_provider(state.raw["location"], dict(properties))
    return provider.new_metadata_location(name)


def write_file(state: TableState, location: str, content: bytes) -> None:
    """A new file, durable as the table's file IO makes it."""
    with state.io.new_output(location).create() as stream:
        stream.write(content)


def current_lines(state: TableState) -> tuple[list[Record], Schema]:
    """The manifest list of the current snapshot, by the names of the specification.

    With the Avro schema of the next list, which has room for what only this one knows.

    Raises PermanentError for a snapshot of version 1 that names its manifests itself.
    """
    head, version = head_id(state.raw), state.raw["format-version"]
    found = [s for s in state.raw.get("snapshots") or () if s["snapshot-id"] == head]
    if not found:
        return [], list_schema(version)
    path = found[0].get("manifest-list")
    if not path:
        raise PermanentError(
            f"snapshot {head} of {state.raw['location']} has no manifest list",
            hint="append to the table with the engine that wrote it, then run this again",
        )
    container = open_container(read_file(state, path), name=path)
    source = schema_of(container)
    schema = list_schema(version, source)
    return list(map(taking(source, schema), container.records())), schema


def read_file(state: TableState, location: str) -> bytes:
    """A whole file of the table."""
    with state.io.new_input(location).open() as stream:
        return stream.read()


_PLAIN = (
    "manifest_path",
    "manifest_length",
    "partition_spec_id",
    "added_snapshot_id",
    "added_files_count",
    "existing_files_count",
    "deleted_files_count",
    "added_rows_count",
    "existing_rows_count",
    "deleted_rows_count",
    "key_metadata",
)
_SUMMARY = ("contains_null", "contains_nan", "lower_bound", "upper_bound")


def _number_rows(lines: list[Record], next_row_id: int) -> int:
    """Give every data manifest without one its first row id; how many ids that takes."""
    first = next_row_id
    for line in lines:
        if not line["content"] and line["first_row_id"] is None:
            line["first_row_id"] = next_row_id
            next_row_id += (line["added_rows_count"] or 0) + (line["existing_rows_count"] or 0)
    return next_row_id - first


def _header(state: TableState, snapshot_id: int, *, first_row_id: int) -> dict[str, str]:
    parent, version = head_id(state.raw), state.raw["format-version"]
    header = {
        "snapshot-id": str(snapshot_id),
        "parent-snapshot-id": "null" if parent is None else str(parent),
        "format-version": str(version),
    }
    if version > 1:
        header["sequence-number"] = str(next_sequence(state.raw))
    if version >= LINEAGE_VERSION:
        header["first-row-id"] = str(first_row_id)
    return header
