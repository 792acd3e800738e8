"""One table of real Parquet files, quick to make: manifests by PyIceberg, the rest written here.

The content cannot be compressed and follows from a seed. PyIceberg's own commits would take
minutes for 10,000 tables, and it cannot write position deletes.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestWriterV2
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.types import BinaryType, LongType, NestedField, StringType

from benchmarks.made_metadata import (
    DeleteManifestWriter,
    MetadataWriter,
    Snapshot,
    chunks,
    local,
)

PAYLOAD_BYTES = 1024  # of one row
ROWS_AT_ONCE = 16_384
DELETED_EVERY = 10  # rows; what a table that is merged on read has deleted
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


class TableWriter:
    """One table below ``location``; ``seed`` decides on its content."""

    def __init__(self, location: str, *, seed: int) -> None:
        self.location = location
        self._seed = seed
        self._metadata = MetadataWriter(location, SCHEMA, seed=seed)

    def write(self, *, files: int, size_bytes: int, deletes: bool) -> str:
        """All files; gives the location of the metadata file."""
        rows = max(1, size_bytes // files // PAYLOAD_BYTES)
        data = [self._data_file(number, rows) for number in range(files)]
        appended = Snapshot(1, "append", list(self._metadata.manifests(data, 1, ManifestWriterV2)))
        snapshots = [appended]
        if deletes:
            gone = [self._delete_file(number, some) for number, some in _parts(data)]
            more = self._metadata.manifests(gone, 2, DeleteManifestWriter)
            snapshots.append(Snapshot(2, "delete", [*appended.manifests, *more]))
        return self._metadata.write(snapshots)

    def _data_file(self, number: int, rows: int) -> DataFile:
        path = f"{self.location}/data/{number:05d}.parquet"
        random = np.random.default_rng((self._seed, number))
        schema = schema_to_pyarrow(SCHEMA)
        with pq.ParquetWriter(
            local(path), schema, compression="none", use_dictionary=False
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
        pq.write_table(rows, local(path))
        bounds = (files[0].file_path, files[-1].file_path)
        return _described(path, rows.num_rows, DataFileContent.POSITION_DELETES, paths=bounds)


def _parts(data: Sequence[DataFile]) -> Iterator[tuple[int, Sequence[DataFile]]]:
    """Data files that share a delete file: as an engine that deletes by partition writes them."""
    yield from enumerate(chunks(data, max(1, len(data) // 100)))


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
        file_size_in_bytes=local(location).stat().st_size,
        lower_bounds=lower,
        upper_bounds=upper,
    )
