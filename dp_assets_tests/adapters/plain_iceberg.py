"""What a table reaches, read in the simplest way: every list and manifest again for each use.

The oracle for the closure: plain fastavro, no cache, no inheritance, one snapshot at a time.
"""

import io
import json
from typing import Any

import fastavro

from dp_assets.ports.lake_files import LakeFiles

Json = dict[str, Any]


def metadata_of(files: LakeFiles, pointer: str) -> Json:
    return json.loads(files.read(pointer))


def avro(files: LakeFiles, path: str) -> list[Any]:
    return list(fastavro.reader(io.BytesIO(files.read(path))))


def manifests_of(files: LakeFiles, snapshot: Json) -> list[Json]:
    return avro(files, snapshot["manifest-list"])


def live_entries(files: LakeFiles, snapshot: Json) -> list[tuple[Json, Json]]:
    """(line of the list, entry) of everything that is not deleted."""
    return [
        (line, entry)
        for line in manifests_of(files, snapshot)
        for entry in avro(files, line["manifest_path"])
        if entry["status"] != 2
    ]


def reached(files: LakeFiles, snapshot: Json) -> set[str]:
    """Every path that reading the snapshot takes, its list included."""
    lines = manifests_of(files, snapshot)
    return {
        snapshot["manifest-list"],
        *(line["manifest_path"] for line in lines),
        *(entry["data_file"]["file_path"] for _, entry in live_entries(files, snapshot)),
    }


def statistics_of(metadata: Json, snapshot_id: int) -> set[str]:
    return {
        one["statistics-path"]
        for kind in ("statistics", "partition-statistics")
        for one in metadata.get(kind) or ()
        if one["snapshot-id"] == snapshot_id
    }
