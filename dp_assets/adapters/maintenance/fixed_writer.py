"""Parquet files by PyArrow, for what DuckDB does not write exactly.

DuckDB would write ``fixed(n)`` as bytes of any length, and take -0.0 for 0.0. PyArrow writes what
DuckDB reads, so only tables without nested columns are written this way: there is no COPY then that
knows their field ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.types import FixedType, UUIDType

from dp_assets.adapters.maintenance.iceberg_sql import quoted
from dp_assets.adapters.maintenance.parquet_copy import BOUNDED_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import duckdb
    from pyiceberg.schema import Schema

    from dp_assets.adapters.maintenance.new_files import NewFiles
    from dp_assets.adapters.maintenance.parquet_copy import FileShape

_BATCH_ROWS, _BOUNDED_ROWS = 16_384, 128
_PAGE_BYTES = 1 << 20
_PAGE_ROWS = 1_024


def has_fixed(schema: Schema) -> bool:
    """Whether a column is of a fixed length."""
    return any(isinstance(field.field_type, FixedType) for field in schema.fields)


def arrow_columns(schema: Schema) -> list[str]:
    """What to select of rows in the table's columns: a uuid would be text in Arrow."""
    return [
        f"from_hex(replace(CAST({quoted(f.name)} AS VARCHAR), '-', '')) AS {quoted(f.name)}"
        if isinstance(f.field_type, UUIDType)
        else quoted(f.name)
        for f in schema.fields
    ]


def write_fixed(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    *,
    schema: Schema,
    shape: FileShape,
    new: NewFiles,
) -> list[Path]:
    """Files with rows, in order, as :func:`copy_rows` writes them.

    Args:
        connection: runs the query.
        query: gives the columns of ``schema`` as :func:`arrow_columns` does.
        schema: of the table, without nested columns.
        shape: of the files.
        new: names the files.
    """
    target = schema_to_pyarrow(schema)
    # Iceberg's required columns are optional in the file, as COPY writes them.
    target = pa.schema([field.with_nullable(True) for field in target])
    batch_rows = _BOUNDED_ROWS if shape.is_bounded else _BATCH_ROWS
    rows = connection.execute(query).to_arrow_reader(batch_rows)
    written: list[Path] = []
    pieces = _pieces(_bounded(rows) if shape.is_bounded else rows, shape)
    piece = next(pieces, None)
    while piece is not None:
        path = new.path(len(written))
        written.append(path)
        with pq.ParquetWriter(
            path,
            target,
            compression="zstd",
            store_schema=False,
            write_batch_size=_rows_per_page(piece),
        ) as writer:
            count = 0
            while piece is not None and (
                count == 0 or count + piece.num_rows <= shape.rows_per_file
            ):
                writer.write_table(_as(piece, target), row_group_size=shape.rows_per_group)
                count += piece.num_rows
                piece = next(pieces, None)
    return written


def _rows_per_page(piece: pa.Table) -> int:
    """After how many rows PyArrow looks how large a page is; its own 1,024 may be 100 MB."""
    return max(1, min(_PAGE_ROWS, _PAGE_BYTES * piece.num_rows // max(1, piece.nbytes)))


def _bounded(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, each batch of about as many bytes as a row group may have, or fewer."""
    for batch in batches:
        rows = max(1, batch.num_rows * BOUNDED_BYTES // max(1, batch.nbytes))
        yield from (batch.slice(start, rows) for start in range(0, batch.num_rows, rows))


def _pieces(batches: Iterable[pa.RecordBatch], shape: FileShape) -> Iterator[pa.Table]:
    """Batches gathered to about the rows of a row group, or its bytes where they are bounded."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= shape.rows_per_group or (shape.is_bounded and size >= BOUNDED_BYTES):
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if rows:
        yield pa.Table.from_batches(waiting)


def _as(piece: pa.Table, target: pa.Schema) -> pa.Table:
    """``piece`` in the types of ``target``; bytes become fixed ones, and those uuids."""
    columns = [
        _column(column, field.type) for column, field in zip(piece.columns, target, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=target)


def _column(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    if isinstance(kind, pa.UuidType):
        return column.cast(kind.storage_type).cast(kind)
    return column.cast(kind)
