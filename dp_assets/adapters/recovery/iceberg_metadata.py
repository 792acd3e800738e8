"""A metadata file's bytes as JSON in which what a copy relies on is there.

Source of the field names: Iceberg table specification, "Table Metadata Fields".
"""

import gzip
import json
import zlib
from collections.abc import Mapping
from typing import Any, cast

from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.ports.recovery import FileKind

Json = Mapping[str, Any]
STATISTICS = (
    ("statistics", FileKind.STATISTICS),
    ("partition-statistics", FileKind.PARTITION_STATISTICS),
)
_GZIP = b"\x1f\x8b"


def parse_metadata(content: bytes, *, location: str) -> Json:
    """A metadata file's JSON, gzip or not. Raises PermanentError when it is none."""
    try:
        text = gzip.decompress(content) if content[:2] == _GZIP else content
        parsed: object = json.loads(text)
    except (OSError, EOFError, ValueError, zlib.error, RecursionError) as error:
        raise damaged(location, str(error) if content else "it is empty") from error
    if not isinstance(parsed, dict) or "format-version" not in parsed:
        raise damaged(location, "it is not Iceberg table metadata")
    metadata = cast("Json", parsed)
    try:
        _require_names(metadata)
    except (AttributeError, KeyError, TypeError) as error:
        raise damaged(location, f"a field is missing or of the wrong type: {error!r}") from error
    return metadata


def _require_names(metadata: Json) -> None:
    """What this module relies on. Raises AttributeError, KeyError or TypeError."""
    int(metadata["format-version"])
    for snapshot in metadata.get("snapshots") or ():
        _ = int(snapshot["snapshot-id"]), int(snapshot["timestamp-ms"])
    for ref in (metadata.get("refs") or {}).values():
        int(ref["snapshot-id"])
    for name, _ in STATISTICS:
        for one in metadata.get(name) or ():
            _ = one["statistics-path"].strip(), int(one["snapshot-id"])


def head_id(metadata: Json) -> int | None:
    """The current snapshot's id; some writers say ``-1`` for none."""
    current = metadata.get("current-snapshot-id")
    return None if current in (None, -1) else cast("int", current)
