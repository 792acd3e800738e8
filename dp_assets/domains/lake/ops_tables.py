"""How the tables under ``ops`` write their columns down."""

from collections.abc import Sequence

from pyiceberg.schema import Schema
from pyiceberg.types import IcebergType, NestedField

Column = tuple[str, IcebergType, bool, str]  # name, type, required, what it means


def ops_schema(columns: Sequence[Column]) -> Schema:
    """An Iceberg schema with field ids 1, 2, ... in the order written."""
    return Schema(
        *(
            NestedField(field_id, name, kind, required=required, doc=doc)
            for field_id, (name, kind, required, doc) in enumerate(columns, start=1)
        )
    )
