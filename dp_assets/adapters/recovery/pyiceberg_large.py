"""A large Parquet file read by PyIceberg's rules in bounded memory.

PyIceberg 0.12 reads a file through a dataset scanner, which decodes whole row groups ahead of its
reader: 2 GB for a file of 570 MB. Here rows come a batch at a time. Everything that Iceberg adds
is PyIceberg's own: which files and deletes belong together, field ids, missing columns, deleted
positions. Its functions for that are private; a test compares the two ways on real tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    _combine_positional_deletes,
    _get_column_projection_values,
    _to_requested_schema,
    pyarrow_to_schema,
)
from pyiceberg.manifest import FileFormat
from pyiceberg.schema import prune_columns
from pyiceberg.types import ListType, MapType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.manifest import DataFile
    from pyiceberg.schema import Schema
    from pyiceberg.table import FileScanTask, Table

LARGE_BYTES = 8 << 20
# Files up to this size are worth reading beside each other; then it costs a tenth to have several
# threads for the columns of each. Of larger ones the rows of one are enough to hold.
SMALL_BYTES = 4 << 20
BATCH_ROWS = 32_768
BUFFER_BYTES = 1 << 20
LAST_VERSION_WITHOUT_NS = 2
SCHEMAS_KEPT = 8


def is_large(file: DataFile) -> bool:
    """Whether it is worth another way of reading."""
    return file.file_format == FileFormat.PARQUET and file.file_size_in_bytes > LARGE_BYTES


class FileSchemas:
    """What PyIceberg makes of the columns of files, kept for the next file with the same ones.

    It takes a third of the time of reading a file of 15,000 rows.
    """

    def __init__(self) -> None:
        self._known: list[tuple[pa.Schema, Schema, Schema]] = []

    def of(self, table: Table, arrow: pa.Schema, schema: Schema) -> tuple[Schema, Schema]:
        """The columns of a file, and those of them that ``schema`` wants."""
        for known, file_schema, wanted in self._known:
            if known.equals(arrow, check_metadata=True):
                return file_schema, wanted
        metadata = table.metadata
        file_schema = pyarrow_to_schema(
            arrow,
            metadata.name_mapping(),
            downcast_ns_timestamp_to_us=metadata.format_version <= LAST_VERSION_WITHOUT_NS,
            format_version=metadata.format_version,
        )
        wanted = prune_columns(file_schema, _leaf_ids(schema), select_full_types=False)
        self._known = [(arrow, file_schema, wanted), *self._known[: SCHEMAS_KEPT - 1]]
        return file_schema, wanted


def large_file_batches(
    table: Table,
    task: FileScanTask,
    schema: Schema,
    deletes: list[pa.ChunkedArray] | None,
    *,
    schemas: FileSchemas | None = None,
) -> Iterator[pa.RecordBatch]:
    """The live rows of a data file in the columns of ``schema``.

    Args:
        table: that the file is of.
        task: by PyIceberg's plan.
        schema: the columns to give.
        deletes: positions in the file.
        schemas: of files read before with the same ``table`` and ``schema``.
    """
    metadata = table.metadata
    plain_us = metadata.format_version <= LAST_VERSION_WITHOUT_NS
    with table.io.new_input(task.file.file_path).open() as source:
        file = pq.ParquetFile(
            cast("pa.NativeFile", source),
            buffer_size=BUFFER_BYTES,
            pre_buffer=False,
            # What PyIceberg asks for: nothing is cast later. The stubs do not know it.
            binary_type=pa.large_binary(),  # pyright: ignore[reportCallIssue]
        )
        file_schema, wanted = (schemas or FileSchemas()).of(table, file.schema_arrow, schema)
        missing = _get_column_projection_values(
            task.file,
            schema,
            metadata.schema(),
            metadata.specs().get(task.file.spec_id),
            file_schema.field_ids,
        )
        names = [column.name for column in wanted.columns]
        by_column = task.file.file_size_in_bytes > SMALL_BYTES
        batches = file.iter_batches(BATCH_ROWS, columns=names, use_threads=by_column)
        for batch in _live(batches, deletes):
            yield _to_requested_schema(
                schema,
                wanted,
                batch,
                downcast_ns_timestamp_to_us=plain_us,
                projected_missing_fields=missing,
                allow_timestamp_tz_mismatch=True,
            )


def _live(
    batches: Iterator[pa.RecordBatch], deletes: list[pa.ChunkedArray] | None
) -> Iterator[pa.RecordBatch]:
    start = 0
    for batch in batches:
        end = start + batch.num_rows
        if deletes:
            yield batch.take(_combine_positional_deletes(deletes, start, end))
        else:
            yield batch
        start = end


def _leaf_ids(schema: Schema) -> set[int]:
    """As PyIceberg's scan projects: a list or map comes with what is in it."""
    return {i for i in schema.field_ids if not isinstance(schema.find_type(i), ListType | MapType)}
