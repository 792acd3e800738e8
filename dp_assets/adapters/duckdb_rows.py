"""DuckDB results as Arrow tables in exactly the columns, types and order a TableSpec declares."""

import duckdb
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    StringType,
    TimestamptzType,
)

from dp_assets.ports.tables import TableSpec

_SQL_TYPES: dict[type[IcebergType], str] = {
    BooleanType: "BOOLEAN",
    DateType: "DATE",
    DoubleType: "DOUBLE",
    IntegerType: "INTEGER",
    LongType: "BIGINT",
    StringType: "VARCHAR",
    TimestamptzType: "TIMESTAMPTZ",
}


def sql_type(kind: IcebergType) -> str:
    """The DuckDB type of an Iceberg column."""
    return _SQL_TYPES[type(kind)]


def arrow_schema(spec: TableSpec) -> pa.Schema:
    """The Arrow schema of ``spec``'s rows, without field ids or documentation."""
    fields = schema_to_pyarrow(spec.schema, include_field_ids=False)
    return pa.schema([pa.field(f.name, f.type) for f in fields])


def typed_rows(
    connection: duckdb.DuckDBPyConnection,
    spec: TableSpec,
    query: str,
    parameters: dict[str, object] | None = None,
) -> pa.Table:
    """Run ``query`` and return its rows as ``spec`` wants them, ordered by day, then key.

    Rows of equal key are ordered by a hash of the row, so that equal input is equal output.
    DuckDB's errors pass through: the caller knows what was being read.
    """
    columns = {f.name: sql_type(f.field_type) for f in spec.schema.fields}
    select = ", ".join(f'CAST("{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    keys = dict.fromkeys(k for k in (spec.day_column, *spec.key_columns) if k)
    order = ", ".join(f'"{name}"' for name in keys)
    connection.execute("SET TimeZone = 'UTC'")
    statement = f"SELECT {select} FROM (\n{query}\n) AS row_ ORDER BY {order}, hash(row_)"
    return connection.execute(statement, parameters).to_arrow_table().cast(arrow_schema(spec))


def empty_rows(spec: TableSpec) -> pa.Table:
    """No rows, in ``spec``'s columns."""
    return arrow_schema(spec).empty_table()
