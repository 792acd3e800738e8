"""Iceberg's types and values in DuckDB's SQL."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FixedType,
    FloatType,
    IntegerType,
    ListType,
    LongType,
    MapType,
    StringType,
    StructType,
    TimestampNanoType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from dp_assets.adapters.maintenance.parquet_tree import escaped
from dp_assets.ports.compaction import CompactionRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyiceberg.types import IcebergType, NestedField

# Apart from those of `duckdb_row_hash` on purpose: one wrong name in a common place would be wrong
# on both sides of the proof.
_PLAIN: dict[type[IcebergType], str] = {
    BinaryType: "BLOB",
    BooleanType: "BOOLEAN",
    DateType: "DATE",
    DoubleType: "DOUBLE",
    FixedType: "BLOB",
    FloatType: "FLOAT",
    IntegerType: "INTEGER",
    LongType: "BIGINT",
    StringType: "VARCHAR",
    TimeType: "TIME",
    TimestampNanoType: "TIMESTAMP_NS",
    TimestampType: "TIMESTAMP",
    TimestamptzType: "TIMESTAMP WITH TIME ZONE",
    UUIDType: "UUID",
}


def quoted(name: str) -> str:
    """A name."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string."""
    return "'" + value.replace("'", "''") + "'"


def parquet_source(paths: Iterable[str], *options: str) -> str:
    """The table function that reads Parquet files as they are; folder names say nothing.

    Args:
        paths: as DuckDB is to open them.
        options: further arguments, ``name=value``.
    """
    listed = ", ".join(text(escaped(path)) for path in paths)
    return f"read_parquet({', '.join([f'[{listed}]', 'hive_partitioning=false', *options])})"


def sql_type(kind: IcebergType) -> str:
    """DuckDB's type, spelled as DuckDB spells it. Raises CompactionRefusedError: it has none."""
    if isinstance(kind, StructType):
        fields = ", ".join(f"{quoted(f.name)} {sql_type(f.field_type)}" for f in kind.fields)
        return f"STRUCT({fields})"
    if isinstance(kind, ListType):
        return f"{sql_type(kind.element_type)}[]"
    if isinstance(kind, MapType):
        return f"MAP({sql_type(kind.key_type)}, {sql_type(kind.value_type)})"
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if type(kind) not in _PLAIN:
        raise refused(f"values of type {kind}")
    return _PLAIN[type(kind)]


def field_ids(fields: tuple[NestedField, ...]) -> str:
    """The value of COPY's FIELD_IDS: every id of every level."""
    return f"{{{', '.join(f'{quoted(f.name)}: {_ids(f.field_type, f.field_id)}' for f in fields)}}}"


def partition_literal(kind: IcebergType, stored: Any) -> str:
    """A partition value as SQL.

    Args:
        kind: of the column.
        stored: as :attr:`LiveEntry.partition` has it: raw Avro values, bytes as hex.

    Raises:
        CompactionRefusedError: values of that type are not written exactly.
    """
    if stored is None:
        return null(kind)
    if isinstance(kind, DecimalType):
        unscaled = int.from_bytes(bytes.fromhex(stored), "big", signed=True)
        digits = tuple(map(int, str(abs(unscaled))))
        # DuckDB takes no exponent on 38 digits, and Decimal's own arithmetic would round them.
        exact = Decimal((int(unscaled < 0), digits, -kind.scale))
        return f"CAST('{exact:f}' AS {sql_type(kind)})"
    if isinstance(kind, UUIDType | BinaryType | FixedType):
        return _bytes(kind, bytes.fromhex(stored))
    match kind:
        case DateType():
            return f"(DATE '1970-01-01' + CAST({stored:d} AS INTEGER))"
        case TimestampType() | TimestamptzType():
            return f"CAST(make_timestamp({stored:d}) AS {sql_type(kind)})"
        case TimeType() | TimestampNanoType():
            raise refused(f"partition values of type {kind} that are missing from the file")
        case _:
            return f"CAST({text(str(stored))} AS {sql_type(kind)})"


def default_literal(field: NestedField) -> str:
    """What a row has that was written before the column was there: its initial default or NULL."""
    kind, value = field.field_type, field.initial_default
    if value is None:
        return null(kind)
    if not kind.is_primitive:
        raise refused("nested defaults")
    if isinstance(value, bytes):
        return _bytes(kind, value)
    return f"CAST({text(_plain(value))} AS {sql_type(kind)})"


def null(kind: IcebergType) -> str:
    """A NULL of the type."""
    return f"CAST(NULL AS {sql_type(kind)})"


def refused(what: str) -> CompactionRefusedError:
    """What is not rewritten exactly."""
    return CompactionRefusedError(
        f"{what} are not rewritten", hint="the files stay as they are; every reader reads them"
    )


def _ids(kind: IcebergType, field_id: int) -> str:
    own = f"__duckdb_field_id: {field_id}"
    if isinstance(kind, StructType):
        inner = [f"{quoted(f.name)}: {_ids(f.field_type, f.field_id)}" for f in kind.fields]
    elif isinstance(kind, ListType):
        inner = [f"element: {_ids(kind.element_type, kind.element_id)}"]
    elif isinstance(kind, MapType):
        inner = [
            f"key: {_ids(kind.key_type, kind.key_id)}",
            f"value: {_ids(kind.value_type, kind.value_id)}",
        ]
    else:
        return str(field_id)
    return f"{{{', '.join([own, *inner])}}}"


def _bytes(kind: IcebergType, value: bytes) -> str:
    if isinstance(kind, UUIDType):
        return f"CAST('{value.hex()}' AS UUID)"
    return f"from_hex('{value.hex()}')"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date | datetime | time) else str(value)
