"""A table's sort order as DuckDB's ORDER BY.

Source: Iceberg table specification, "Sort Orders", "Partition Transforms".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pyiceberg.types import BinaryType, DecimalType, StringType, StructType

from dp_assets.adapters.maintenance.iceberg_sql import quoted, refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType, NestedField

_TIMES = ("year", "month", "day", "hour")
_TRUNCATE = re.compile(r"truncate\[(\d+)\]")


def order_id(metadata: Mapping[str, Any]) -> int:
    """The sort order that new files have; 0 is none."""
    return metadata.get("default-sort-order-id") or 0


def order_by(metadata: Mapping[str, Any], schema: Schema) -> str:
    """The ORDER BY clause of the table's sort order; "" when it has none.

    Raises:
        CompactionRefusedError: it sorts by something that DuckDB does not compute.
    """
    orders: Iterable[Mapping[str, Any]] = metadata.get("sort-orders") or ()
    wanted = order_id(metadata)
    fields: list[Mapping[str, Any]] = next(
        (one["fields"] for one in orders if one["order-id"] == wanted), []
    )
    keys = [_key(field, schema) for field in fields if field["transform"] != "void"]
    return f"ORDER BY {', '.join(keys)}" if keys else ""


def _key(field: Mapping[str, Any], schema: Schema) -> str:
    found = _column(schema.fields, field["source-id"])
    if found is None:
        raise refused("tables that are sorted by a column that is gone or inside a list or map")
    value, kind = found
    nulls = "FIRST" if field["null-order"] == "nulls-first" else "LAST"
    direction = "DESC" if field["direction"] == "desc" else "ASC"
    return f"{_transformed(value, kind, field['transform'])} {direction} NULLS {nulls}"


def _column(fields: Iterable[NestedField], field_id: int) -> tuple[str, IcebergType] | None:
    """A column or a field inside one, as SQL, and its type."""
    for field in fields:
        if field.field_id == field_id:
            return quoted(field.name), field.field_type
        if isinstance(field.field_type, StructType):
            inner = _column(field.field_type.fields, field_id)
            if inner is not None:
                return f"{quoted(field.name)}.{inner[0]}", inner[1]
    return None


def _transformed(value: str, kind: IcebergType, transform: str) -> str:
    """Something that sorts as the transformed value does."""
    if transform == "identity":
        return value
    if transform in _TIMES:
        return f"date_trunc('{transform}', {value})"
    if found := _TRUNCATE.fullmatch(transform):
        return _truncated(value, kind, int(found[1]))
    raise refused(f"tables that are sorted by {transform}")


def _truncated(value: str, kind: IcebergType, width: int) -> str:
    if isinstance(kind, StringType):
        return f"left({value}, {width})"
    if isinstance(kind, BinaryType):
        return f"left(hex({value}), {2 * width})"
    if isinstance(kind, DecimalType):  # by the value without its point
        value = f"replace(CAST({value} AS VARCHAR), '.', '')"
    whole = f"CAST({value} AS HUGEINT)"
    return f"{whole} - ({whole} % {width} + {width}) % {width}"
