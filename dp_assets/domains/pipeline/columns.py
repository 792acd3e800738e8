"""How the pipeline's tables write their columns down: name, type, what it means."""

from pyiceberg.schema import Schema
from pyiceberg.types import (
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    NestedField,
    PrimitiveType,
    StringType,
    TimestamptzType,
)

BOOLEAN = BooleanType()
DATE = DateType()
DOUBLE = DoubleType()
INTEGER = IntegerType()
STRING = StringType()
TIMESTAMP = TimestamptzType()

Column = tuple[str, PrimitiveType, str]


def schema(*columns: Column) -> Schema:
    """An Iceberg schema with field ids 1, 2, ... in the order written.

    Every column is optional: what may not be null is a contract's business, which can say how
    many rows break it; Iceberg could only refuse the whole write.
    """
    fields = [
        NestedField(field_id, name, kind, required=False, doc=doc)
        for field_id, (name, kind, doc) in enumerate(columns, start=1)
    ]
    return Schema(*fields)
