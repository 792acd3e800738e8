"""Examines metadata files: each is opened once, as JSON, and none is ever changed."""

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from pyiceberg.avro.file import AvroFile
from pyiceberg.io import FileIO
from pyiceberg.manifest import read_manifest_list

from dp_assets.adapters.iceberg_json import Json, head_id, read_metadata
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.metadata_facts import is_adopted
from dp_assets.core.errors import PermanentError
from dp_assets.ports.doctor import LostSnapshot, MetadataFile

METADATA_SUFFIXES = (".metadata.json", ".metadata.json.gz")
MANIFEST_LIST = re.compile(r"snap-(\d+)-.*\.avro")
# Refusals, networks, and schemes that nothing installed can read: not the file's fault.
OUT_OF_REACH = (OSError, ValueError, ImportError)
# What JSON of another shape than Iceberg's makes the code below raise.
MISSHAPEN = (ValueError, TypeError, LookupError, AttributeError)
# What a damaged Avro file makes PyIceberg's reader raise.
UNREADABLE_AVRO = (
    *(*MISSHAPEN, OSError, EOFError, AssertionError, zlib.error),
    *(SystemError, MemoryError),  # its compiled decoder takes any bytes for a length
)


def examine_metadata(io: FileIO, location: str) -> MetadataFile:
    """Read the file at ``location``; whatever is wrong with it is in the answer."""
    damaged = f"metadata file {location} is damaged: "
    try:
        raw = read_metadata(io, location)
    except PermanentError as error:
        return MetadataFile(location, problem=error.what)
    except (zlib.error, RecursionError) as error:
        return MetadataFile(location, problem=f"{damaged}{error}")
    except OUT_OF_REACH as error:
        return _unreachable(location, f"metadata file {location}", error)
    try:
        return _described(io, location, raw)
    except MISSHAPEN as error:
        return MetadataFile(location, problem=f"{damaged}{type(error).__name__}: {error}")
    except OSError as error:
        return _unreachable(location, f"manifest list of metadata file {location}", error)


def metadata_files(location: str) -> tuple[str, ...]:
    """The metadata files in the folder of ``location``; none where it cannot be listed.

    Only local folders are listed. The locations are spelled like ``location``.
    """
    folder = location.rpartition("/")[0]
    names = (name for name in _names(folder) if name.endswith(METADATA_SUFFIXES))
    return tuple(f"{folder}/{name}" for name in sorted(names))


def lost_snapshots(io: FileIO, target: MetadataFile, *, folder: str) -> tuple[LostSnapshot, ...]:
    """Snapshots that build on the head of ``target`` without being in it, oldest first.

    They are known by their manifest lists in ``folder``, whose headers name parent and snapshot.
    """
    parents: dict[int | None, list[LostSnapshot]] = {}
    for name in _names(folder):
        found = MANIFEST_LIST.fullmatch(name)
        if found and int(found[1]) not in target.snapshot_rows:
            parent, snapshot = _listed(io, f"{folder}/{name}", snapshot_id=int(found[1]))
            parents.setdefault(parent, []).append(snapshot)
    return tuple(_descendants(parents, target.head_id))


def _descendants(
    parents: Mapping[int | None, list[LostSnapshot]], start: int | None
) -> Iterator[LostSnapshot]:
    pending, seen = list(parents.get(start, ())), set[int]()
    while pending:
        snapshot = pending.pop(0)
        if snapshot.snapshot_id not in seen:
            seen.add(snapshot.snapshot_id)
            yield snapshot
            pending += parents.get(snapshot.snapshot_id, ())


def _described(io: FileIO, location: str, raw: Json) -> MetadataFile:
    head, snapshots = head_id(raw), {s["snapshot-id"]: s for s in raw.get("snapshots") or ()}
    if head is not None and head not in snapshots:
        return MetadataFile(location, problem=f"metadata file {location} lacks its head {head}")
    if not (raw.get("schemas") or raw.get("schema")):
        return MetadataFile(location, problem=f"metadata file {location} has no schema")
    properties = raw.get("properties") or {}
    return MetadataFile(
        location,
        uuid=raw.get("table-uuid") or "",
        table_location=str(raw["location"]),
        head_id=head,
        last_updated_ms=int(raw["last-updated-ms"]),
        log=tuple(entry["metadata-file"] for entry in raw.get("metadata-log") or ()),
        snapshot_rows=MappingProxyType({i: _rows(s) for i, s in snapshots.items()}),
        list_problem="" if head is None else _list_problem(io, snapshots[head]),
        is_adopted=is_adopted(properties),
    )


def _unreachable(location: str, what: str, error: Exception) -> MetadataFile:
    said = f"{what} cannot be reached: {error}"
    return MetadataFile(location, problem=said, is_reachable=False)


def _rows(snapshot: Mapping[str, Any]) -> int | None:
    total = (snapshot.get("summary") or {}).get("total-records")
    return int(total) if total is not None else None


def _list_problem(io: FileIO, head: Mapping[str, Any]) -> str:
    location = head.get("manifest-list")
    if not location:
        return ""  # version 1 may name the manifests themselves
    what = f"manifest list {location} of the current snapshot"
    try:
        size_bytes = len(io.new_input(location))
    except FileNotFoundError:
        return f"{what} is missing"
    except (ValueError, ImportError) as error:
        raise OSError(str(error)) from error
    return "" if size_bytes else f"{what} is empty"


def _listed(io: FileIO, location: str, *, snapshot_id: int) -> tuple[int | None, LostSnapshot]:
    """The parent that a manifest list names in its header, and what its snapshot changed.

    A list that cannot be read belongs to nobody: it gets itself as parent.
    """
    try:
        with AvroFile(io.new_input(location)) as file:
            named = file.header.meta.get("parent-snapshot-id", "null")
        manifests = [
            m
            for m in read_manifest_list(io.new_input(location))
            if m.added_snapshot_id == snapshot_id
        ]
        parent = None if named == "null" else int(named)
    except UNREADABLE_AVRO:
        return snapshot_id, LostSnapshot(snapshot_id)
    added = sum(m.added_rows_count or 0 for m in manifests)
    deleted = sum(m.deleted_rows_count or 0 for m in manifests)
    return parent, LostSnapshot(snapshot_id, added_rows=added, deleted_rows=deleted)


def _names(folder: str) -> list[str]:
    path = local_path(folder) if folder else None
    try:
        return sorted(os.listdir(path)) if path else []  # noqa: PTH208, twice as fast as iterdir
    except OSError:
        return []
