"""One table of real Parquet files, quick to make: manifests by PyIceberg, the rest written here.

The content cannot be compressed and follows from a seed. PyIceberg's own commits would take
minutes for 10,000 tables, and it cannot write position deletes.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import load_file_io
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
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
from pyiceberg.typedef import Record
from pyiceberg.types import BinaryType, LongType, NestedField, StringType

from dp_assets.adapters.local_files import local_path

PAYLOAD_BYTES = 1024  # of one row
ROWS_AT_ONCE = 16_384
FILES_PER_MANIFEST = 2_500
DELETED_EVERY = 10  # rows; what a table that is merged on read has deleted
MADE_AT_MS = 1_700_000_000_000
SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "payload", BinaryType(), required=True),
)
# https://iceberg.apache.org/spec/#reserved-field-ids
DELETE_PATH_ID = 2147483546
DELETE_SCHEMA = Schema(
    NestedField(DELETE_PATH_ID, "file_path", StringType(), required=True),
    NestedField(2147483545, "pos", LongType(), required=True),
)


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
        return 1000 + self.number


class TableWriter:
    """One table below ``location``; ``seed`` decides on its content."""

    def __init__(self, location: str, *, seed: int) -> None:
        self.location = location
        self._seed = seed
        self._folder = _local(location)
        self._io = load_file_io({}, location)
        for name in ("data", "metadata"):
            (self._folder / name).mkdir(parents=True)

    def write(self, *, files: int, size_bytes: int, deletes: bool) -> str:
        """All files; gives the location of the metadata file."""
        rows = max(1, size_bytes // files // PAYLOAD_BYTES)
        data = [self._data_file(number, rows) for number in range(files)]
        appended = Snapshot(1, "append", list(self._manifests(data, 1, ManifestWriterV2)))
        snapshots = [appended]
        if deletes:
            gone = [self._delete_file(number, some) for number, some in _parts(data)]
            more = self._manifests(gone, 2, DeleteManifestWriter)
            snapshots.append(Snapshot(2, "delete", [*appended.manifests, *more]))
        return self._metadata(snapshots)

    def _data_file(self, number: int, rows: int) -> DataFile:
        path = f"{self.location}/data/{number:05d}.parquet"
        random = np.random.default_rng((self._seed, number))
        schema = schema_to_pyarrow(SCHEMA)
        with pq.ParquetWriter(
            _local(path), schema, compression="none", use_dictionary=False
        ) as writer:
            for start in range(0, rows, ROWS_AT_ONCE):
                writer.write_table(_random_rows(random, start, min(ROWS_AT_ONCE, rows - start)))
        return _described(path, rows, DataFileContent.DATA)

    def _delete_file(self, number: int, files: Sequence[DataFile]) -> DataFile:
        """Every tenth row of each of ``files``, in the order that the specification asks for."""
        path = f"{self.location}/data/{number:05d}-deletes.parquet"
        counts = {file.file_path: -(-file.record_count // DELETED_EVERY) for file in files}
        rows = pa.table(
            [
                pa.array([path for path, n in counts.items() for _ in range(n)]),
                pa.array(
                    [k * DELETED_EVERY for n in counts.values() for k in range(n)], pa.int64()
                ),
            ],
            schema=schema_to_pyarrow(DELETE_SCHEMA),
        )
        pq.write_table(rows, _local(path))
        bounds = (files[0].file_path, files[-1].file_path)
        return _described(path, rows.num_rows, DataFileContent.POSITION_DELETES, paths=bounds)

    def _manifests(
        self, files: Sequence[DataFile], snapshot: int, kind: type[ManifestWriterV2]
    ) -> Iterator[ManifestFile]:
        for number, some in enumerate(_chunks(files, FILES_PER_MANIFEST)):
            output = self._io.new_output(f"{self.location}/metadata/{snapshot}-m{number}.avro")
            writer = kind(UNPARTITIONED_PARTITION_SPEC, SCHEMA, output, 1000 + snapshot, "deflate")
            with writer:
                for file in some:
                    writer.add_entry(
                        ManifestEntry.from_args(
                            status=ManifestEntryStatus.ADDED,
                            snapshot_id=1000 + snapshot,
                            data_file=file,
                        )
                    )
            yield writer.to_manifest_file()

    def _metadata(self, snapshots: Sequence[Snapshot]) -> str:
        made = new_table_metadata(
            SCHEMA,
            UNPARTITIONED_PARTITION_SPEC,
            UNSORTED_SORT_ORDER,
            self.location,
            table_uuid=uuid.UUID(int=Random(self._seed).getrandbits(128), version=4),  # noqa: S311
        )
        document = json.loads(made.model_dump_json())
        listed: list[dict[str, object]] = []
        written: dict[str, int] = {}
        for snapshot in snapshots:
            listed.append(self._snapshot(snapshot, written, parent=bool(listed)))
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
        _local(location).write_text(json.dumps(document), encoding="utf-8")
        return location

    def _snapshot(
        self, snapshot: Snapshot, written: dict[str, int], *, parent: bool
    ) -> dict[str, object]:
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
            writer.add_manifests([_numbered(one, snapshot, written) for one in snapshot.manifests])
        return {
            "snapshot-id": snapshot.snapshot_id,
            **before,
            "sequence-number": snapshot.number,
            "timestamp-ms": MADE_AT_MS + snapshot.number,
            "manifest-list": location,
            "summary": {"operation": snapshot.operation},
            "schema-id": 0,
        }


def _numbered(one: ManifestFile, snapshot: Snapshot, written: dict[str, int]) -> ManifestFile:
    """A manifest of an earlier snapshot keeps that one's sequence number."""
    number = written.setdefault(one.manifest_path, snapshot.number)
    if number != snapshot.number:
        one.sequence_number = number
        one.min_sequence_number = number
    return one


def _parts(data: Sequence[DataFile]) -> Iterator[tuple[int, Sequence[DataFile]]]:
    """Data files that share a delete file: as an engine that deletes by partition writes them."""
    yield from enumerate(_chunks(data, max(1, len(data) // 100)))


def _chunks(files: Sequence[DataFile], size: int) -> Iterator[Sequence[DataFile]]:
    return (files[start : start + size] for start in range(0, len(files), size))


def _random_rows(random: np.random.Generator, start: int, rows: int) -> pa.Table:
    offsets = np.arange(rows + 1, dtype=np.int32) * PAYLOAD_BYTES
    payload = pa.Array.from_buffers(
        pa.binary(),
        rows,
        [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(random.bytes(rows * PAYLOAD_BYTES))],
    )
    ids = pa.array(np.arange(start, start + rows), pa.int64())
    schema = schema_to_pyarrow(SCHEMA)
    return pa.table([ids, payload.cast(schema.field("payload").type)], schema=schema)


def _described(
    location: str, rows: int, content: DataFileContent, *, paths: tuple[str, str] | None = None
) -> DataFile:
    """``paths``: the first and the last that a delete file names; else it could name any."""
    lower, upper = ({DELETE_PATH_ID: path.encode()} for path in paths) if paths else (None, None)
    return DataFile.from_args(
        content=content,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=rows,
        file_size_in_bytes=_local(location).stat().st_size,
        lower_bounds=lower,
        upper_bounds=upper,
    )


def _local(location: str) -> Path:
    found = local_path(location)
    if found is None:
        raise SystemExit(f"{location} is not on a local disk")
    return found
