"""What is written once more, and how, when the usual way did not do for a group.

The usual way is the fastest, and wrong for two kinds of tables:

* DuckDB's dictionaries take -0.0 for 0.0, and the first that comes is what all become (DuckDB
  issue 25781). The proof sees it. PyArrow's tell them apart, so tables without nested columns are
  written by it; with some, DuckDB writes them without any dictionary.
* Values of some 10 KB come in pages and vectors of so many bytes that those of two threads do not
  fit, nor what COPY keeps of a row group besides. One thread reads in half the memory, and PyArrow
  writes pages of 1 MB; with nested columns COPY bounds row groups in bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
from pyiceberg.types import PrimitiveType

from dp_assets.adapters.maintenance.fixed_writer import arrow_columns, has_fixed, write_fixed
from dp_assets.adapters.maintenance.iceberg_sql import quoted
from dp_assets.adapters.maintenance.parquet_copy import copy_rows

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from pyiceberg.schema import Schema

    from dp_assets.adapters.maintenance.new_files import NewFiles
    from dp_assets.adapters.maintenance.parquet_copy import FileShape

_FLOATS = ("FLOAT", "DOUBLE")
_DICTIONARIES = frozenset({"PLAIN_DICTIONARY", "RLE_DICTIONARY"})


def write_rows(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    *,
    schema: Schema,
    order: str,
    shape: FileShape,
    new: NewFiles,
) -> list[Path]:
    """Files with the rows of a query, in order; integers in them have no annotation.

    Args:
        connection: runs the query.
        source: gives columns of the names in ``schema``.
        schema: of new files.
        order: an ORDER BY clause; "" for none.
        shape: of the files.
        new: names the files.
    """
    is_careful = shape.keeps_zeros or shape.is_bounded
    by_arrow = has_fixed(schema) or (is_careful and _is_flat(schema))
    names = [quoted(field.name) for field in schema.fields]
    columns = arrow_columns(schema) if by_arrow else names
    query = f"SELECT {', '.join(columns)} FROM ({source}) {order}"  # noqa: S608 - quoted
    write = write_fixed if by_arrow else copy_rows
    if order and not by_arrow:
        # DuckDB bounds row groups in bytes only where it need not keep an order.
        shape = replace(shape, is_bounded=False)
    return write(connection, query, schema=schema, shape=shape, new=new)


def may_merge_zeros(path: Path) -> bool:
    """Whether floats of a file come out of dictionaries."""
    metadata = pq.read_metadata(path)
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return any(
        chunk.physical_type in _FLOATS and _DICTIONARIES.intersection(chunk.encodings)
        for group in groups
        for chunk in (group.column(place) for place in range(metadata.num_columns))
    )


def _is_flat(schema: Schema) -> bool:
    return all(isinstance(field.field_type, PrimitiveType) for field in schema.fields)
