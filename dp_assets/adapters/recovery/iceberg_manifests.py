"""Manifest lists and manifests of every format version, reduced to what a copy needs.

Fields are taken by the names of the specification; what else a file has is ignored. Partition
values stay as they are stored. Source: Iceberg table specification, "Manifests", "Snapshots".
"""

import json
import math
from collections.abc import MutableMapping
from typing import Any

from dp_assets.adapters.recovery.avro_generic import Record, open_container, records
from dp_assets.adapters.recovery.avro_shapes import manifest_shape
from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.ports.closure import LiveEntry, Manifest, ManifestUse
from dp_assets.ports.recovery import FileKind

ADDED = 1
DELETED = 2
# Source: specification, "Reserved Field IDs".
DELETE_FILE_PATH = 2147483546
PUFFIN = "PUFFIN"
_CONTENT = {0: FileKind.DATA, 1: FileKind.POSITION_DELETES, 2: FileKind.EQUALITY_DELETES}


def read_list(
    content: bytes,
    *,
    name: str,
    snapshot_id: int,
    known: MutableMapping[tuple[Any, ...], ManifestUse] | None = None,
) -> tuple[ManifestUse, ...]:
    """The lines of a manifest list. Raises PermanentError when it is damaged.

    Args:
        content: of the file.
        name: of the file, for errors.
        snapshot_id: whose list it is.
        known: lines of other lists; a line that says the same is the same object.
    """
    same = {} if known is None else known
    try:
        return tuple(_use(line, snapshot_id, same) for line in records(content, name=name))
    except (KeyError, TypeError) as error:
        raise damaged(name, f"it is no manifest list: {error!r}") from error


def read_manifest(content: bytes, *, name: str) -> Manifest:
    """The live entries of a manifest. Raises PermanentError when it is damaged."""
    container = open_container(content, name=name)
    try:
        entries = tuple(_entry(e) for e in container.records() if e["status"] != DELETED)
        spec_id = int(container.metadata.get("partition-spec-id", b"0"))
        shape = manifest_shape(container.metadata["avro.schema"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(name, f"it is no manifest: {error!r}") from error
    return Manifest(path=name, spec_id=spec_id, entries=entries, shape=shape)


def partition_json(values: Record) -> str:
    """A partition tuple: raw Avro values, bytes as hex, ``""`` for no values."""
    if not values:
        return ""
    plain = {name: _plain(value) for name, value in values.items()}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for them
    return value


def _use(
    line: Record, snapshot_id: int, known: MutableMapping[tuple[Any, ...], ManifestUse]
) -> ManifestUse:
    added_by = line.get("added_snapshot_id")
    said = (  # the fields of ManifestUse
        line["manifest_path"],
        line["manifest_length"],
        line["partition_spec_id"],
        line.get("sequence_number") or 0,
        snapshot_id if added_by is None else added_by,
        line.get("first_row_id"),
        line.get("key_metadata") is not None,
    )
    found = known.get(said)
    if found is None:
        found = known[said] = ManifestUse(*said)
    return found


def _entry(entry: Record) -> LiveEntry:
    file: Record = entry["data_file"]
    kind = _CONTENT[file.get("content", 0)]
    file_format = file["file_format"].upper()
    if kind is FileKind.POSITION_DELETES and file_format == PUFFIN:
        kind = FileKind.DELETION_VECTORS
    positions = kind is FileKind.POSITION_DELETES
    return LiveEntry(
        path=file["file_path"],
        kind=kind,
        format=file_format,
        size=file["file_size_in_bytes"],
        records=file["record_count"],
        partition=partition_json(file["partition"]),
        added=entry["status"] == ADDED,
        snapshot_id=entry.get("snapshot_id"),
        sequence_number=entry.get("sequence_number"),
        first_row_id=file.get("first_row_id"),
        equality_ids=tuple(sorted(file.get("equality_ids") or ())),
        referenced=file.get("referenced_data_file") or "",
        lower=_path_bound(file.get("lower_bounds")) if positions else None,
        upper=_path_bound(file.get("upper_bounds")) if positions else None,
        offset=file.get("content_offset") or 0,
        length=file.get("content_size_in_bytes") or 0,
        encrypted=file.get("key_metadata") is not None,
        file_sequence_number=entry.get("file_sequence_number"),
    )


def _path_bound(bounds: list[Record] | None) -> bytes | None:
    return next((b["value"] for b in bounds or () if b["key"] == DELETE_FILE_PATH), None)
