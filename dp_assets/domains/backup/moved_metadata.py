"""Table metadata for a table that has moved: every path it names, and nothing else.

The metadata log is emptied: older metadata files name snapshots and files that were not brought
along. Fields that are not known here stay as they are.

Source: Iceberg table specification, "Table Metadata Fields", "Snapshots", "Table Statistics".
"""

import gzip
import json
import zlib
from collections.abc import Collection, Mapping
from typing import Any, cast

from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.path_map import PATH_PROPERTIES, PathMap

_GZIP_MAGIC = b"\x1f\x8b"
_GZIPPED, _PLAIN = ".gz.metadata.json", ".metadata.json"
# Hadoop's tables carry the compression at the end.
_GZIPPED_LAST = ".metadata.json.gz"


def parse_metadata(content: bytes, *, about: str) -> Mapping[str, Any]:
    """The JSON of a metadata file, zipped or not. Raises PermanentError when it is none."""
    try:
        text = gzip.decompress(content) if content[:2] == _GZIP_MAGIC else content
        found: object = json.loads(text)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _no_metadata(about, str(error)) from error
    if not isinstance(found, dict) or "format-version" not in found:
        raise _no_metadata(about, "it is no Iceberg table metadata")
    return cast("Mapping[str, Any]", found)


def kept_history(metadata: Mapping[str, Any], kept: Collection[int]) -> Mapping[str, Any]:
    """``metadata`` without the snapshots that a recovery point does not hold.

    As an expiry would leave it. Source: specification, "Snapshots", "Snapshot Log".
    """
    ids = {snapshot["snapshot-id"] for snapshot in metadata.get("snapshots") or ()}
    if ids <= set(kept):
        return metadata

    def only(key: str) -> list[Mapping[str, Any]]:
        return [one for one in metadata.get(key) or () if one["snapshot-id"] in kept]

    lists = ("snapshots", "snapshot-log", "statistics", "partition-statistics")
    refs: Mapping[str, Any] = metadata.get("refs") or {}
    return {
        **metadata,
        **{key: only(key) for key in lists if key in metadata},
        "refs": {name: ref for name, ref in refs.items() if ref["snapshot-id"] in kept},
    }


def moved_metadata(
    metadata: Mapping[str, Any], to: PathMap, *, uuid: str | None = None
) -> dict[str, Any]:
    """``metadata`` of the table at its new place; with ``uuid`` it becomes a table of its own."""
    moved: dict[str, Any] = {
        **metadata,
        "location": to.location,
        "metadata-log": [],
        "properties": _properties(metadata.get("properties") or {}, to),
    }
    if uuid:
        moved["table-uuid"] = uuid
    if metadata.get("snapshots"):
        moved["snapshots"] = [_snapshot(snapshot, to) for snapshot in metadata["snapshots"]]
    for key in ("statistics", "partition-statistics"):
        if metadata.get(key):
            moved[key] = [{**s, "statistics-path": to(s["statistics-path"])} for s in metadata[key]]
    return moved


def encode_metadata(metadata: Mapping[str, Any]) -> bytes:
    """As a metadata file holds it."""
    return json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode()


def moved_pointer(pointer: str, to: PathMap) -> str:
    """Where the metadata file goes; it is written without compression, and named so."""
    moved = to(pointer)
    for zipped in (_GZIPPED, _GZIPPED_LAST):
        if moved.endswith(zipped):
            return moved.removesuffix(zipped) + _PLAIN
    return moved


def _properties(properties: Mapping[str, str], to: PathMap) -> dict[str, str]:
    folders = {name: to.folder(value) for name, value in properties.items() if _is_folder(name)}
    return {**properties, **folders}


def _is_folder(name: str) -> bool:
    return name in PATH_PROPERTIES


def _snapshot(snapshot: Mapping[str, Any], to: PathMap) -> dict[str, Any]:
    """Version 1 may name its manifests itself instead of a list of them."""
    moved = dict(snapshot)
    if "manifest-list" in snapshot:
        moved["manifest-list"] = to(snapshot["manifest-list"])
    if "manifests" in snapshot:
        moved["manifests"] = [to(path) for path in snapshot["manifests"]]
    return moved


def _no_metadata(about: str, why: str) -> PermanentError:
    return PermanentError(
        f"{about} is no table metadata: {why}", hint="restore it from another recovery point"
    )
