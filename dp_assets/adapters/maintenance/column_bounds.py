"""Least and greatest value of columns in SQL, as Python values that Iceberg's bounds compare with.

Times come as integers and uuids as bytes, as bounds keep them. NaN is neither: bounds leave it out,
and DuckDB holds it for the greatest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyiceberg.types import (
    DateType,
    DoubleType,
    FloatType,
    PrimitiveType,
    TimestampNanoType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

_DAYS = "date_diff('day', DATE '1970-01-01', {})"
_MICROSECONDS = "epoch_us({})"
_AS_KEPT: dict[type[PrimitiveType], str] = {
    DateType: _DAYS,
    TimeType: _MICROSECONDS,
    TimestampNanoType: "epoch_ns({})",
    TimestampType: _MICROSECONDS,
    TimestamptzType: _MICROSECONDS,
    UUIDType: "from_hex(replace(CAST({} AS VARCHAR), '-', ''))",
}
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one column; least and greatest are None where it has no values."""

    nulls: int
    nans: int
    least: Any
    greatest: Any


def column_bounds(
    connection: duckdb.DuckDBPyConnection, source: str, columns: Sequence[tuple[str, PrimitiveType]]
) -> list[Bounds]:
    """Of each column of ``source``, read once.

    Args:
        connection: in which ``source`` can be read.
        source: a table or table function, as SQL.
        columns: the name in SQL, quoted, and the type of each.
    """
    if not columns:
        return []
    asked = ", ".join(part for name, kind in columns for part in asked_bounds(name, kind))
    row = connection.execute(f"SELECT {asked} FROM {source}").fetchone()  # noqa: S608 - quoted
    if row is None:
        raise AssertionError("an aggregate gives one row")
    return answered_bounds(row)


def answered_bounds(values: Sequence[Any]) -> list[Bounds]:
    """The answers to what :func:`asked_bounds` asks of one column after the other."""
    return [Bounds(*values[at : at + _PARTS]) for at in range(0, len(values), _PARTS)]


def asked_bounds(name: str, kind: PrimitiveType) -> tuple[str, str, str, str]:
    """The aggregates to ask of a column."""
    nulls = f"count(*) - count({name})"
    if isinstance(kind, FloatType | DoubleType):
        value = f"CASE WHEN NOT isnan({name}) THEN {name} END"
        return nulls, f"count(*) FILTER (isnan({name}))", f"min({value})", f"max({value})"
    value = _AS_KEPT.get(type(kind), "{}")
    return nulls, "0", value.format(f"min({name})"), value.format(f"max({name})")
