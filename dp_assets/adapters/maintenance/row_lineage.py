"""Row lineage in new files: who a row is, and which commit changed it last, as columns.

A row that stays where it was written has both by its place; one that moves takes them along.

Source: Iceberg table specification, "Reserved Field IDs", "Row Lineage".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

if TYPE_CHECKING:
    from collections.abc import Collection

LINEAGE_VERSION = 3
ROW_ID, LAST_UPDATED = 2147483540, 2147483539
_NAMES = {ROW_ID: "_row_id", LAST_UPDATED: "_last_updated_sequence_number"}


def written_schema(schema: Schema, format_version: int) -> Schema:
    """The columns of new files: the table's, and its rows' lineage where it has one.

    Readers find columns by their ids, so a table may have columns that are called as these.
    """
    if format_version < LINEAGE_VERSION:
        return schema
    taken = {field.name.casefold() for field in schema.fields}
    lineage = (
        NestedField(field_id, _free(name, taken), LongType(), required=False)
        for field_id, name in _NAMES.items()
    )
    return Schema(*schema.fields, *lineage, schema_id=schema.schema_id)


def is_lineage(field_id: int) -> bool:
    """Whether a column of :func:`written_schema` is not one of the table's."""
    return field_id in _NAMES


def _free(name: str, taken: Collection[str]) -> str:
    return _free(f"_{name}", taken) if name in taken else name
