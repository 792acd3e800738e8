"""A data file's columns as the table's current ones, in SQL, by field id at every level.

Names and order of the file are nothing: a column may have been renamed, moved, dropped and added
again. What the file does not have is its partition value where the spec has the column itself, else
the column's initial default, else NULL.

Source: Iceberg table specification, "Column Projection", "Schema Evolution".
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyiceberg.types import (
    BinaryType,
    FixedType,
    ListType,
    MapType,
    PrimitiveType,
    StringType,
    StructType,
    UUIDType,
)

from dp_assets.adapters.maintenance.iceberg_sql import (
    default_literal,
    partition_literal,
    quoted,
    refused,
    sql_type,
)
from dp_assets.adapters.maintenance.parquet_tree import Node, Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType, NestedField

_SHAPES: tuple[tuple[type[IcebergType], Shape], ...] = (
    (StructType, Shape.STRUCT),
    (ListType, Shape.LIST),
    (MapType, Shape.MAP),
    (PrimitiveType, Shape.LEAF),
)
_BLOB, _VARCHAR = "BLOB", "VARCHAR"


def identity_values(metadata: Mapping[str, Any], spec_id: int, partition: str) -> dict[int, Any]:
    """Partition values that are a column's own, by field id, stored as in the partition.

    Args:
        metadata: the table's, Iceberg's JSON.
        spec_id: of the files.
        partition: as :attr:`LiveEntry.partition`.

    Raises:
        CompactionRefusedError: the partition is not one of the spec.
    """
    only = {"spec-id": 0, "fields": metadata.get("partition-spec") or ()}  # as version 1 had it
    specs: Iterable[Mapping[str, Any]] = metadata.get("partition-specs") or (only,)
    fields: list[Mapping[str, Any]] = next(
        (list(spec["fields"]) for spec in specs if spec["spec-id"] == spec_id), []
    )
    values: list[Any] = list(json.loads(partition).values()) if partition else []
    if len(fields) != len(values):
        raise refused(f"files whose partition has {len(values)} values for {len(fields)} fields")
    # By place: Avro cannot spell every name, and writers keep the order of the spec.
    pairs = zip(fields, values, strict=True)
    return {f["source-id"]: value for f, value in pairs if f["transform"] == "identity"}


@dataclass(frozen=True, slots=True)
class Projection:
    """Reads files of any schema that the table once had by its current one.

    Attributes:
        schema: the current one.
        identity: partition values by field id, as :func:`identity_values`.
    """

    schema: Schema
    identity: Mapping[int, Any] = field(default_factory=dict[int, Any])

    def columns(self, nodes: Iterable[Node], *, source: str) -> list[str]:
        """``expression AS name`` for each column of the table.

        Args:
            nodes: the file's columns.
            source: what the file is called in the query.

        Raises:
            CompactionRefusedError: a value cannot be converted exactly.
        """
        have = {node.field_id: node for node in nodes if node.field_id is not None}
        return [
            f"{self._field(one, have, around=source, depth=0)} AS {quoted(one.name)}"
            for one in self.schema.fields
        ]

    def column(self, field: NestedField, nodes: Iterable[Node], *, source: str) -> str:
        """One column as :meth:`columns` makes them, without a name; the table need not have it."""
        have = {node.field_id: node for node in nodes if node.field_id is not None}
        return self._field(field, have, around=source, depth=0)

    def _field(self, one: NestedField, have: Mapping[int, Node], *, around: str, depth: int) -> str:
        node = have.get(one.field_id)
        if node is not None:
            return self._value(
                one.field_type, node, value=f"{around}.{quoted(node.name)}", depth=depth
            )
        if one.field_id in self.identity:
            return partition_literal(one.field_type, self.identity[one.field_id])
        return default_literal(one)

    def _value(self, kind: IcebergType, node: Node, *, value: str, depth: int) -> str:
        """``value``, which is as ``node`` says, as ``kind``."""
        if node.shape is not next(shape for of, shape in _SHAPES if isinstance(kind, of)):
            raise refused(f"files in which {node.name} is a {node.shape} instead of {kind}")
        if not isinstance(kind, StructType | ListType | MapType):
            return _converted(kind, node.type, value)
        if _is_same(kind, node):
            return value
        item = f"x{depth}"
        if isinstance(kind, StructType):
            have = {one.field_id: one for one in node.children if one.field_id is not None}
            parts = ", ".join(
                f"{quoted(f.name)} := {self._field(f, have, around=value, depth=depth)}"
                for f in kind.fields
            )
            return _unless_null(value, f"struct_pack({parts})")
        if isinstance(kind, ListType):
            inner = self._value(kind.element_type, node.children[0], value=item, depth=depth + 1)
            return f"list_transform({value}, lambda {item}: {inner})"
        key, inner = (
            self._value(of, child, value=f"{item}.{part}", depth=depth + 1)
            for part, of, child in zip(
                ("key", "value"), (kind.key_type, kind.value_type), node.children, strict=True
            )
        )
        entries = (
            f"list_transform(map_entries({value}), lambda {item}: "
            f"struct_pack(key := {key}, value := {inner}))"
        )
        return _unless_null(value, f"map_from_entries({entries})")


def _unless_null(value: str, otherwise: str) -> str:
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE {otherwise} END"


def _is_same(kind: IcebergType, node: Node) -> bool:
    """Whether a file's column already is what the table wants, names and types at every level."""
    match kind:
        case StructType():
            return len(kind.fields) == len(node.children) and all(
                (f.field_id, f.name) == (child.field_id, child.name)
                and _is_same(f.field_type, child)
                for f, child in zip(kind.fields, node.children, strict=True)
            )
        case ListType():
            return _is_same(kind.element_type, node.children[0])
        case MapType():
            key, value = node.children
            return _is_same(kind.key_type, key) and _is_same(kind.value_type, value)
        case _:
            return node.shape is Shape.LEAF and node.type == sql_type(kind)


def _converted(kind: IcebergType, stored: str, value: str) -> str:
    """A leaf of DuckDB's type ``stored`` as ``kind``: promotions, and bytes for what they mean."""
    wanted = sql_type(kind)
    if stored == wanted:
        return value
    if isinstance(kind, StringType) and stored == _BLOB:
        return f"decode({value})"  # a cast would escape bytes
    if isinstance(kind, BinaryType | FixedType) and stored == _VARCHAR:
        return f"encode({value})"
    if isinstance(kind, UUIDType) and stored == _BLOB:
        return f"CAST(hex({value}) AS UUID)"
    return f"CAST({value} AS {wanted})"
