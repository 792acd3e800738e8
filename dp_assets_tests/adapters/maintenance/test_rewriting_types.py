"""Values keep what they are at every level, whatever became of the schema since."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
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
    NestedField,
    StringType,
    StructType,
    TimestampType,
    TimestamptzType,
    TimeType,
    UUIDType,
)

from dp_assets.ports.compaction import CompactionRefusedError
from dp_assets_tests.adapters.maintenance.rewriting import (
    SIMPLE,
    append,
    local,
    new_table,
    rewritten,
    shown,
)

EARLY, LATE = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
PRIMITIVES = {
    "bool": (BooleanType(), [True, False]),
    "int": (IntegerType(), [-(2**31), 2**31 - 1]),
    "long": (LongType(), [-(2**63), 2**63 - 1]),
    "float": (FloatType(), [math.nan, -0.0]),
    "double": (DoubleType(), [math.inf, 0.0]),
    "date": (DateType(), [date(1, 1, 1), date(9999, 12, 31)]),
    "time": (TimeType(), [time(0), time(23, 59, 59, 999999)]),
    "ts": (TimestampType(), [EARLY.replace(tzinfo=None), LATE.replace(tzinfo=None)]),
    "tz": (TimestamptzType(), [EARLY, LATE]),
    "string": (StringType(), ["", "größe 'x' \"y\" 😀" * 40]),
    "uuid": (UUIDType(), [UUID(int=0).bytes, UUID(int=2**128 - 1).bytes]),
    "binary": (BinaryType(), [b"", b"\x00\xff"]),
    "small": (DecimalType(9, 2), [Decimal("-0.01"), Decimal("9999999.99")]),
    "large": (DecimalType(38, 10), [Decimal("-1.5"), Decimal("9" * 28 + ".0000000001")]),
}


def columns(start: int, *but: str) -> list[NestedField]:
    """One of each type, with names that are hard to write."""
    return [
        NestedField(start + n, f'{name} "q".x', kind, required=False)
        for n, (name, (kind, _)) in enumerate(PRIMITIVES.items())
        if name not in but
    ]


def values(which: int, *but: str) -> dict[str, Any]:
    found = {name: of[which] for name, (_, of) in PRIMITIVES.items() if name not in but}
    return {f'{name} "q".x': value for name, value in found.items()}


NESTED = Schema(
    *columns(1),
    NestedField(100, "st", StructType(*columns(101, "uuid")), required=False),
    NestedField(
        200,
        "li",
        ListType(201, StructType(*columns(202, "uuid")), element_required=False),
        required=False,
    ),
    NestedField(
        300,
        "ma",
        MapType(301, StringType(), 302, StructType(*columns(303, "uuid")), value_required=False),
        required=False,
    ),
)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, NESTED) as made:
        yield made


def test_every_type_at_every_level(table: Table, tmp_path: Path):
    one, other = values(0, "uuid"), values(1, "uuid")  # PyArrow makes none out of Python's
    nested = {"st": other, "li": [one, None, other], "ma": [("b", one), ("a", None)]}
    append(table, {**values(0), **nested})
    append(table, {**values(1), "st": one, "li": [], "ma": []}, {})
    append(table, {"st": dict.fromkeys(one), "li": None, "ma": None})
    found = rewritten(table.metadata_location, tmp_path)
    assert found.rows() == found.rows_before()
    assert [file.records for file in found.files] == [4]


def test_nested_columns_that_were_renamed_moved_dropped_added_and_widened(tmp_path: Path):
    inner = StructType(
        NestedField(11, "a", IntegerType(), required=False),
        NestedField(12, "b", FloatType(), required=False),
        NestedField(13, "c", StringType(), required=False),
    )

    def renumbered(start: int) -> StructType:
        return StructType(
            *(f.model_copy(update={"field_id": start + n}) for n, f in enumerate(inner.fields))
        )

    schema = Schema(
        NestedField(1, "st", inner, required=False),
        NestedField(2, "li", ListType(20, renumbered(21), element_required=False), required=False),
        NestedField(
            3,
            "ma",
            MapType(30, StringType(), 31, renumbered(32), value_required=False),
            required=False,
        ),
        NestedField(4, "gone", StringType(), required=False),
        NestedField(5, "n", DecimalType(9, 2), required=False),
    )
    row = {"a": 1, "b": 0.5, "c": "x"}
    whole = {"st": row, "li": [row, None], "ma": [("k", row)], "gone": "g", "n": Decimal("1.25")}
    with new_table(tmp_path, schema) as table:
        append(table, whole, {})
        with table.update_schema() as update:
            for path in ("st", "li.element", "ma.value"):
                update.rename_column(f"{path}.a", "renamed")
                update.update_column(f"{path}.a", LongType())
                update.update_column(f"{path}.b", DoubleType())
                update.delete_column(f"{path}.c")
                update.add_column((*path.split("."), "added"), DateType())
            update.delete_column("gone")
            update.update_column("n", DecimalType(18, 2))
        with table.update_schema() as update:
            update.add_column("gone", LongType())  # the name of one that is gone
            update.move_first("n")
        later = {"renamed": 2**40, "b": 1e300, "added": date(2020, 1, 1)}
        append(table, {"st": later, "li": [later], "ma": [("k", later)], "gone": 7})
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before()
        assert any("'renamed'" in one or "renamed" in one for one in found.rows())
        assert "gone: None" in "".join(found.rows())


def test_a_partition_value_that_is_not_in_the_file_comes_from_the_partition(tmp_path: Path):
    """As files are that came from Hive: the folder says it, the file does not."""
    spec = PartitionSpec(
        PartitionField(1, 1000, IdentityTransform(), "id"),
        PartitionField(3, 1001, IdentityTransform(), "f"),
    )
    with new_table(tmp_path, SIMPLE, spec=spec) as table:
        append(table, {"id": 7, "f": 0.25, "text": "a"}, {"id": None, "f": 2.5, "text": "b"})
        expected = shown(table.scan().to_arrow())
        for task in table.scan().plan_files():
            path = local(task.file.file_path)
            pq.write_table(pq.read_table(path, partitioning=None).select(["text"]), path)
        found = rewritten(table.metadata_location, tmp_path)
        assert (
            shown(
                pa.concat_tables(
                    pq.read_table(local(f.path), partitioning=None) for f in found.files
                )
            )
            == expected
        )


def test_files_without_field_ids_are_read_by_the_name_mapping(tmp_path: Path):
    with new_table(tmp_path, SIMPLE) as table:
        path = tmp_path / "imported.parquet"
        pq.write_table(pa.table({"text": ["a", None], "id": pa.array([1, 2], pa.int64())}), path)
        table.add_files([f"file://{path}"])
        with table.update_schema() as update:
            update.rename_column("text", "words")
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before()
        assert any("'a'" in row for row in found.rows())
        with table.transaction() as transaction:
            transaction.remove_properties("schema.name-mapping.default")
        with pytest.raises(CompactionRefusedError, match="without field ids"):
            rewritten(table.metadata_location, tmp_path)


def test_fixed_bytes_stay_fixed(tmp_path: Path):
    schema = Schema(*columns(1), NestedField(90, "fixed", FixedType(3), required=False))
    with new_table(tmp_path, schema) as table:
        append(table, {**values(0), "fixed": b"abc"}, {})
        append(table, {**values(1), "fixed": b"\x00\x00\x00"})
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before()
        [file] = found.files
        kinds = pq.read_schema(local(file.path))
        assert kinds.field("fixed").type == pa.binary(3)
        assert kinds == schema_to_pyarrow(schema) or kinds.field('uuid "q".x').type == pa.uuid()
