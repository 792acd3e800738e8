"""The metadata of a table made for a benchmark: manifests and lists by PyIceberg's writers.

PyIceberg's own commits would take minutes for hundreds of snapshots: it copies the history at each.
"""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeVar

from pyiceberg.io import load_file_io
from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
from pyiceberg.schema import Schema
from pyiceberg.table.metadata import new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER
from pyiceberg.typedef import EMPTY_DICT

from dp_assets.adapters.local_files import local_path

FILES_PER_MANIFEST = 2_500
FIRST_ID = 1000  # of a snapshot, above which its number is
MADE_AT_MS = 1_700_000_000_000
T = TypeVar("T")


class DeleteManifestWriter(ManifestWriterV2):
    """A manifest of delete files; PyIceberg writes none."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot to be written: the manifests it lists, of which ``new`` are its own."""

    number: int
    operation: str
    manifests: Sequence[ManifestFile]

    @property
    def snapshot_id(self) -> int:
        return FIRST_ID + self.number


class MetadataWriter:
    """The metadata of one table below ``location``; ``seed`` decides on its uuid.

    Folders are made; data files are somebody else's.
    """

    def __init__(
        self,
        location: str,
        schema: Schema,
        *,
        seed: int,
        properties: Mapping[str, str] = EMPTY_DICT,
    ) -> None:
        self.location = location
        self._schema = schema
        self._seed = seed
        self._properties = dict(properties)
        self._io = load_file_io({}, location)
        for name in ("data", "metadata"):
            (local(location) / name).mkdir(parents=True, exist_ok=True)

    def manifests(
        self,
        files: Sequence[DataFile],
        snapshot: int,
        kind: type[ManifestWriterV2],
        *,
        each: int = FILES_PER_MANIFEST,
    ) -> Iterator[ManifestFile]:
        """New manifests of ``each`` files, added by the snapshot of that number."""
        for number, some in enumerate(chunks(files, each)):
            output = self._io.new_output(f"{self.location}/metadata/{snapshot}-m{number}.avro")
            spec, added_by = UNPARTITIONED_PARTITION_SPEC, FIRST_ID + snapshot
            with kind(spec, self._schema, output, added_by, "deflate") as writer:
                for file in some:
                    writer.add_entry(
                        ManifestEntry.from_args(
                            status=ManifestEntryStatus.ADDED,
                            snapshot_id=added_by,
                            data_file=file,
                        )
                    )
            yield writer.to_manifest_file()

    def write(self, snapshots: Sequence[Snapshot]) -> str:
        """Lists and metadata file, whose location is given; the last snapshot is the current."""
        made = new_table_metadata(
            self._schema,
            UNPARTITIONED_PARTITION_SPEC,
            UNSORTED_SORT_ORDER,
            self.location,
            self._properties,
            table_uuid=uuid.UUID(int=Random(self._seed).getrandbits(128), version=4),  # noqa: S311
        )
        document = json.loads(made.model_dump_json())
        listed: list[dict[str, object]] = []
        for snapshot in snapshots:
            listed.append(self._snapshot(snapshot, parent=bool(listed)))
        last = snapshots[-1]
        document |= {
            "last-sequence-number": last.number,
            "last-updated-ms": MADE_AT_MS + last.number,
            "current-snapshot-id": last.snapshot_id,
            "snapshots": listed,
            "snapshot-log": [
                {"snapshot-id": one.snapshot_id, "timestamp-ms": MADE_AT_MS + one.number}
                for one in snapshots
            ],
            "refs": {"main": {"snapshot-id": last.snapshot_id, "type": "branch"}},
        }
        location = f"{self.location}/metadata/00001-{uuid.UUID(int=self._seed)}.metadata.json"
        local(location).write_text(json.dumps(document), encoding="utf-8")
        return location

    def _snapshot(self, snapshot: Snapshot, *, parent: bool) -> dict[str, object]:
        """The list of its manifests, and what the metadata says of it."""
        location = f"{self.location}/metadata/snap-{snapshot.snapshot_id}.avro"
        before = {"parent-snapshot-id": snapshot.snapshot_id - 1} if parent else {}
        with write_manifest_list(
            2,
            self._io.new_output(location),
            snapshot.snapshot_id,
            before.get("parent-snapshot-id"),
            snapshot.number,
            "deflate",
        ) as writer:
            writer.add_manifests([_numbered(one, snapshot) for one in snapshot.manifests])
        return {
            "snapshot-id": snapshot.snapshot_id,
            **before,
            "sequence-number": snapshot.number,
            "timestamp-ms": MADE_AT_MS + snapshot.number,
            "manifest-list": location,
            "summary": {"operation": snapshot.operation},
            "schema-id": 0,
        }


def _numbered(one: ManifestFile, snapshot: Snapshot) -> ManifestFile:
    """A manifest of an earlier snapshot keeps that one's sequence number."""
    number = (one.added_snapshot_id or 0) - FIRST_ID
    if number != snapshot.number:
        one.sequence_number = number
        one.min_sequence_number = number
    return one


def chunks(files: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """In their order, ``size`` at a time."""
    return (files[start : start + size] for start in range(0, len(files), size))


def local(location: str) -> Path:
    """A file or folder of a table on a local disk."""
    found = local_path(location)
    if found is None:
        raise SystemExit(f"{location} is not on a local disk")
    return found
