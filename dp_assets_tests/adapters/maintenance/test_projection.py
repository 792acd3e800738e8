"""Partition values that stand in for columns which the file does not have, as SQL computes them."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from dp_assets.adapters.maintenance.parquet_tree import Node, Shape
from dp_assets.adapters.maintenance.projection import Projection, identity_values
from dp_assets.ports.compaction import CompactionRefusedError

IDENTITY = {"source-id": 1, "transform": "identity", "name": "p"}
BUCKET = {"source-id": 2, "transform": "bucket[4]", "name": "b"}


def projected(kind: IcebergType, stored: Any) -> Any:
    schema = Schema(NestedField(1, "p", kind, required=False))
    [column] = Projection(schema, {1: stored}).columns((), source="r")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        shown = "p::VARCHAR" if isinstance(kind, TimestamptzType) else "p"
        [(value,)] = connection.execute(f"SELECT {shown} FROM (SELECT {column})").fetchall()
    return value


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        (LongType(), -(2**63), -(2**63)),
        (StringType(), "it's\\n", "it's\\n"),
        (BooleanType(), True, True),
        (DoubleType(), 0.1, 0.1),
        (DoubleType(), "-inf", float("-inf")),
        (FloatType(), -0.0, -0.0),
        (DateType(), -719162, date(1, 1, 1)),
        (TimestampType(), 253402300799999999, datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
        (TimestamptzType(), -1, "1969-12-31 23:59:59.999999+00"),
        (DecimalType(9, 2), "ff", Decimal("-0.01")),
        (
            DecimalType(38, 10),
            "4b3b4ca85a86c47a098a223fffffffff",
            Decimal("9" * 28 + "." + "9" * 10),
        ),
        (UUIDType(), "00000000000000000000000000000001", UUID(int=1)),
        (BinaryType(), "00ff", b"\x00\xff"),
        (BinaryType(), None, None),
    ],
)
def test_a_partition_value_is_the_column(kind: IcebergType, stored: Any, value: Any):
    found = projected(kind, stored)
    assert found == (value.replace(tzinfo=None) if isinstance(value, datetime) else value)
    assert repr(found) == repr(value) or isinstance(value, datetime)


def test_a_time_of_a_partition_is_refused():
    with pytest.raises(CompactionRefusedError, match="type time"):
        projected(TimeType(), 1)


def test_a_column_that_became_another_thing_is_refused():
    schema = Schema(NestedField(1, "s", StructType(), required=False))
    node = Node("s", 1, Shape.LEAF, "BIGINT")
    with pytest.raises(CompactionRefusedError, match="instead of struct"):
        Projection(schema).columns((node,), source="r")


@pytest.mark.parametrize(
    "metadata",
    [
        {"partition-specs": [{"spec-id": 0, "fields": [BUCKET, IDENTITY]}]},
        {"partition-spec": [BUCKET, IDENTITY]},
    ],
    ids=["now", "version-1"],
)
def test_only_identity_says_what_a_column_was(metadata: dict[str, Any]):
    partition = json.dumps({"_x62": 3, "_x70": "v"})  # names as Avro spells them
    assert identity_values(metadata, 0, partition) == {1: "v"}


def test_a_partition_of_another_shape_is_refused():
    metadata = {"partition-specs": [{"spec-id": 0, "fields": [IDENTITY]}]}
    with pytest.raises(CompactionRefusedError, match="2 values for 1 fields"):
        identity_values(metadata, 0, '{"a":1,"b":2}')
    with pytest.raises(CompactionRefusedError, match="1 values for 0 fields"):
        identity_values(metadata, 7, '{"a":1}')
    assert identity_values(metadata | {"partition-specs": []}, 0, "") == {}
