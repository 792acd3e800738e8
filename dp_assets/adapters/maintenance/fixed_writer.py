"""Parquet files with ``fixed(n)`` columns: DuckDB would write these as bytes of any length.

PyArrow writes what DuckDB reads, so only tables without nested columns are written this way: there
is no COPY then that knows their field ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.types import FixedType, UUIDType

from dp_assets.adapters.maintenance.iceberg_sql import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb
    from pyiceberg.schema import Schema

    from dp_assets.adapters.maintenance.new_files import NewFiles
    from dp_assets.adapters.maintenance.parquet_copy import FileShape

_BATCH_ROWS = 16_384


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
    rows = connection.execute(query).to_arrow_reader(_BATCH_ROWS)
    written: list[Path] = []
    pieces = _pieces(rows, shape.rows_per_group)
    piece = next(pieces, None)
    while piece is not None:
        path = new.path(len(written))
        written.append(path)
        with pq.ParquetWriter(path, target, compression="zstd", store_schema=False) as writer:
            count = 0
            while piece is not None and (
                count == 0 or count + piece.num_rows <= shape.rows_per_file
            ):
                writer.write_table(_as(piece, target), row_group_size=shape.rows_per_group)
                count += piece.num_rows
                piece = next(pieces, None)
    return written


def _pieces(batches: pa.RecordBatchReader, rows: int) -> Iterator[pa.Table]:
    """Batches gathered to about ``rows`` rows: each becomes a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(one.num_rows for one in waiting) >= rows:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if any(one.num_rows for one in waiting):
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
