"""One function for the content of a snapshot, whoever read it: a sum of DuckDB's row hashes.

DuckDB's ``hash()`` alone says too little: ``[]``, ``[NULL]`` and NULL are one, 0.0 is -0.0, a
struct without values is no struct, the order of a map's entries counts. So every value is first
written such that what differs hashes differently and what is equal hashes alike. Hashes are added
up in integers without limit: unlike with xor, two equal rows are not none, and order is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
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

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType

# Names the function and its version: another DuckDB may hash otherwise.
FUNCTION = f"duckdb-{duckdb.__version__}-row-hash-sum-1"
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
    TimestamptzType: "TIMESTAMPTZ",
    UUIDType: "UUID",
}


class UncomparableTypeError(Exception):
    """A column of a type that no reading can be compared by."""


@dataclass(frozen=True, slots=True)
class RowHashes:
    """What rows are, whatever their order.

    Attributes:
        nulls: rows without a value, by column in the schema's order.
    """

    rows: int
    total: int
    nulls: Sequence[int]

    def __add__(self, other: RowHashes) -> RowHashes:
        """These rows and those."""
        nulls = [a + b for a, b in zip(self.nulls, other.nulls, strict=True)]
        return RowHashes(self.rows + other.rows, self.total + other.total, nulls)

    @property
    def content(self) -> str:
        """``<function and version>:<hex>``."""
        return f"{FUNCTION}:{self.total:x}"


def hash_rows(
    source: str, schema: Schema, *also: str, on: duckdb.DuckDBPyConnection
) -> tuple[RowHashes, list[Any]]:
    """The rows of ``source``, and the answers to what else was asked, of the same reading.

    Args:
        source: as for :func:`row_hash_query`.
        schema: the same.
        also: the same.
        on: reads it.

    Raises:
        UncomparableTypeError: a column cannot be compared.
        duckdb.Error: it cannot be read.
    """
    row = on.execute(row_hash_query(source, schema, *also)).fetchone()
    if row is None:
        raise AssertionError("an aggregate gives one row")
    rows, total, *more = row
    columns = len(schema.fields)
    return RowHashes(rows, total, more[:columns]), more[columns:]


def row_hash_query(source: str, schema: Schema, *also: str) -> str:
    """SQL that gives one row: rows, sum of row hashes, then nulls of each column.

    Args:
        source: a table, view or table function with the columns of ``schema`` in its order.
        schema: Iceberg's, as both readings were asked for.
        also: what else to ask, of columns that are called c0, c1 and so on.

    Raises:
        UncomparableTypeError: a column cannot be compared.
    """
    names = [f"c{n}" for n in range(len(schema.fields))]
    columns = zip(names, schema.fields, strict=True)
    values = [_comparable(name, f.field_type, depth=0) for name, f in columns]
    nulls = [f"count(*) - count({name})" for name in names]
    total = f"coalesce(sum(hash({', '.join(['0', *values])})), 0)"
    asked = ", ".join(["count(*)", total, *nulls, *also])
    return f"SELECT {asked} FROM {source} AS t({', '.join(names)})"


def _comparable(value: str, kind: IcebergType, *, depth: int) -> str:
    """``value`` as something that hashes alike exactly when it is the same."""
    item = f"x{depth}"
    if isinstance(kind, StructType):
        parts = [
            _comparable(f"{value}.{_quoted(f.name)}", f.field_type, depth=depth)
            for f in kind.fields
        ]
        return _pack(f"{value} IS NULL", *parts)
    if isinstance(kind, ListType):
        inner = _comparable(item, kind.element_type, depth=depth + 1)
        items = f"list_transform({value}, lambda {item}: {inner})"
        return _pack(f"{value} IS NULL", f"len({value})", items)
    if isinstance(kind, MapType):
        key = _comparable(f"{item}.key", kind.key_type, depth=depth + 1)
        inner = _comparable(f"{item}.value", kind.value_type, depth=depth + 1)
        entries = f"list_sort(map_entries({value}))"
        items = f"list_transform({entries}, lambda {item}: {_pack(key, inner)})"
        return _pack(f"{value} IS NULL", f"cardinality({value})", items)
    plain = f"CAST({value} AS {_sql_type(kind)})"
    if isinstance(kind, FloatType | DoubleType):
        return _pack(plain, f"{value} = 0 AND signbit({value})")
    return plain


def _sql_type(kind: IcebergType) -> str:
    if isinstance(kind, DecimalType):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if type(kind) not in _PLAIN:
        raise UncomparableTypeError(f"{kind} columns cannot be compared")
    return _PLAIN[type(kind)]


def _pack(*values: str) -> str:
    return f"struct_pack({', '.join(f'f{n} := {value}' for n, value in enumerate(values))})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
