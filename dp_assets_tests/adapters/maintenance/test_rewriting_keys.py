"""The columns that equality deletes compare: of every type, known by their ids; or refused."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    FixedType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from dp_assets.ports.compaction import CompactionRefusedError
from dp_assets_tests.adapters.maintenance.equal_deletes import FIELD_ID, delete_equal, ids, rows
from dp_assets_tests.adapters.maintenance.rewriting import (
    SIMPLE,
    append,
    new_table,
    parquet_files,
    rewritten,
)


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, SIMPLE) as made:
        yield made


def test_columns_are_known_by_their_ids(tmp_path: Path):
    """Renamed, widened, dropped, called as another one was; a file may be older than a column."""
    schema = Schema(
        NestedField(1, "a", IntegerType(), required=False),
        NestedField(2, "b", StringType(), required=False),
        NestedField(3, "c", DecimalType(9, 2), required=False),
    )
    with new_table(tmp_path, schema) as table:
        append(table, *({"a": n, "b": str(n), "c": Decimal(n)} for n in range(6)))
        by_a = pa.table({"a": pa.array([0], pa.int32())})
        by_b = pa.table({"b": pa.array(["1"])})
        by_c = pa.table({"c": pa.array([Decimal("2.00")], pa.decimal128(9, 2))})
        for keys in (by_a, by_b, by_c):
            delete_equal(table, keys)
        with table.update_schema() as update:
            update.rename_column("a", "z")
            update.update_column("a", LongType())
            update.delete_column("b")
            update.update_column("c", DecimalType(18, 2))
        with table.update_schema() as update:
            update.add_column("a", StringType())
            update.add_column("b", LongType())
        append(table, {"z": 0, "a": "new"}, {"z": 7, "b": 1})
        gone = pa.field("gone", pa.string(), metadata={FIELD_ID: "2"})
        delete_equal(table, pa.table([pa.array(["3", None])], schema=pa.schema([gone])))
        delete_equal(
            table, pa.table({"z": pa.array([4], pa.int64()), "a": pa.array([None], "str")})
        )
        append(table, {"z": 3, "b": 3})
        found = rewritten(table.metadata_location, tmp_path)
        # Those that lack the dropped column have null in it, which is deleted, too.
        assert found.rows() == rows(
            {"z": 5, "c": Decimal(5)}, {"z": 3, "b": 3}, schema=table.schema()
        )


KEYS: dict[str, tuple[IcebergType, list[Any]]] = {
    "bool": (BooleanType(), [True, False]),
    "int": (IntegerType(), [-(2**31), 2**31 - 1]),
    "long": (LongType(), [-(2**63), 2**63 - 1]),
    "date": (DateType(), [date(1, 1, 1), date(9999, 12, 31)]),
    "time": (TimeType(), [time(0), time(23, 59, 59, 999999)]),
    "ts": (TimestampType(), [datetime(1, 1, 1), datetime(9999, 12, 31, 1)]),  # noqa: DTZ001
    "tz": (TimestamptzType(), [datetime(1, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)]),
    "string": (StringType(), ["größe 'x' \"y\" 😀", "größe"]),
    "uuid": (UUIDType(), [UUID(int=1).bytes, UUID(int=2**127).bytes]),
    "binary": (BinaryType(), [b"\x00\xff", b"\x00"]),
    "small": (DecimalType(9, 2), [Decimal("-0.01"), Decimal("9.90")]),
    "large": (DecimalType(38, 10), [Decimal("9" * 28 + ".0000000001"), Decimal(1)]),
    "fixed": (FixedType(2), [b"ab", b"ac"]),
}


def test_every_type_is_compared(tmp_path: Path):
    """One delete file per column takes its first value, and nulls stay."""
    fields = [
        NestedField(n, name, kind, required=False)
        for n, (name, (kind, _)) in enumerate(KEYS.items(), start=1)
    ]
    schema = Schema(NestedField(50, "id", LongType(), required=False), *fields)
    kinds = schema.as_arrow()
    with new_table(tmp_path, schema) as table:
        append(table, *({"id": n, name: of[0]} for n, (name, (_, of)) in enumerate(KEYS.items())))
        append(table, *({"id": 99, name: of[1]} for name, (_, of) in KEYS.items()), {})
        for name, (_, of) in KEYS.items():
            kind = kinds.field(name).type
            if name == "uuid":
                column = pa.array(of[:1], pa.binary(16)).cast(kind)
            else:
                column = pa.array(of[:1], kind)
            delete_equal(table, pa.table({name: column}))
        found = rewritten(table.metadata_location, tmp_path)
        assert len(found.rows()) == len(KEYS) + 1
        assert all("'id': 99" in row or "id: 99" in row for row in found.rows()[:-1])


def test_what_cannot_be_compared_is_left_as_it_is(simple: Table, tmp_path: Path):
    append(simple, {"id": 1, "f": 0.5})
    delete_equal(simple, pa.table({"f": pa.array([0.5])}))
    append(simple, {"id": 2})
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.plan.left == ("1 file: equality deletes by a column of type double apply",)
    assert found.rows() == rows({"id": 2})


def test_a_delete_file_without_field_ids_is_refused(simple: Table, tmp_path: Path):
    append(simple, {"id": 1})
    delete_equal(simple, ids(1), ids=False)
    before = parquet_files(tmp_path)
    with pytest.raises(CompactionRefusedError, match="without the field ids"):
        rewritten(simple.metadata_location, tmp_path)
    assert parquet_files(tmp_path) == before
