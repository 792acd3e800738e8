from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DateType,
    DecimalType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
)

from dp_assets.core.errors import PermanentError
from dp_assets.domains.lake.spool_rows import rows_to_arrow

NAN = float("nan")


def schema(*types: IcebergType, required: bool = False) -> Schema:
    return Schema(*(NestedField(i + 1, f"c{i}", t, required) for i, t in enumerate(types)))


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        (BooleanType(), True, True),
        (IntegerType(), -(2**31), -(2**31)),
        (LongType(), 2**63 - 1, 2**63 - 1),
        (FloatType(), 0.5, 0.5),
        (FloatType(), float("-inf"), float("-inf")),
        (DoubleType(), 0.1, 0.1),
        (DoubleType(), 2**53, 9007199254740992.0),
        (StringType(), "ü\x00\u2028", "ü\x00\u2028"),
        (DateType(), "2013-03-10", date(2013, 3, 10)),
        (DecimalType(9, 2), "-12.3", Decimal("-12.30")),
        (DecimalType(38, 0), "9" * 38, Decimal("9" * 38)),
        (TimestampType(), "2013-03-10T02:30:00.000001", datetime(2013, 3, 10, 2, 30, 0, 1)),  # noqa: DTZ001
        (TimestamptzType(), "2013-03-10T02:30:00Z", datetime(2013, 3, 10, 2, 30, tzinfo=UTC)),
        (
            TimestamptzType(),
            "2013-03-09 22:30:00.120-04:00",
            datetime(2013, 3, 10, 2, 30, 0, 120_000, tzinfo=UTC),
        ),
    ],
)
def test_exact_values(kind: IcebergType, cell, value):
    (row,) = rows_to_arrow([{"c0": cell}], schema(kind)).to_pylist()
    assert row == {"c0": value}
    assert rows_to_arrow([{"c0": None}, {}], schema(kind)).to_pylist() == [{"c0": None}] * 2


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        (BooleanType(), 1),
        (IntegerType(), 2**31),
        (IntegerType(), True),
        (IntegerType(), 1.0),
        (LongType(), 2**63),
        (LongType(), "1"),
        (FloatType(), 0.1),
        (FloatType(), 1e300),
        (DoubleType(), 2**53 + 1),
        (DoubleType(), "0.1"),
        (StringType(), 1),
        (DateType(), "2013-02-30"),
        (DateType(), "20130210"),
        (DateType(), "2013-02-01T00:00:00"),
        (DecimalType(9, 2), "0.001"),
        (DecimalType(4, 2), "123.00"),
        (DecimalType(9, 2), 0.5),
        (DecimalType(9, 2), "NaN"),
        (DecimalType(9, 2), "Infinity"),
        (DecimalType(9, 2), "x"),
        (TimestampType(), "2013-03-10T02:30:00Z"),
        (TimestampType(), "2013-03-10"),
        (TimestamptzType(), "2013-03-10T02:30:00"),
        (TimestamptzType(), "2013-03-10T02:30:00.1234567Z"),
        (TimestamptzType(), 1_362_882_600_000),
    ],
)
def test_what_is_not_exactly_of_the_type_is_refused(kind: IcebergType, cell):
    with pytest.raises(PermanentError, match=r"spooled row 1, column c0: .* is not exactly"):
        rows_to_arrow([{}, {"c0": cell}], schema(kind))


def test_nan_stays_nan():
    (row,) = rows_to_arrow([{"c0": NAN, "c1": NAN}], schema(FloatType(), DoubleType())).to_pylist()
    assert row["c0"] != row["c0"]
    assert row["c1"] != row["c1"]


@pytest.mark.parametrize(
    ("rows", "kind", "why"),
    [
        ([{"c0": 1}, {"c0": None}], LongType(), "row 1, column c0: null in a required column"),
        ([{}], LongType(), "row 0, column c0: null in a required column"),
        ([{"c0": 1, "x": 1}], LongType(), "row 0, column x: there is no such column"),
        ([{"c0": "a"}], BinaryType(), "column c0 has type binary"),
        ([{"c0": "\ud800"}], StringType(), "do not fit"),
    ],
)
def test_refused_with_the_place(rows, kind: IcebergType, why: str):
    with pytest.raises(PermanentError, match=why):
        rows_to_arrow(rows, schema(kind, required=True))


def test_no_rows_have_all_columns():
    table = rows_to_arrow([], schema(LongType(), TimestamptzType()))
    assert table.schema == pa.schema(
        [("c0", pa.int64()), ("c1", pa.timestamp("us", tz="UTC"))],
    )
    assert table.num_rows == 0


def test_a_real_table_takes_every_type_as_it_is(tmp_path: Path):
    types = (
        BooleanType(),
        IntegerType(),
        LongType(),
        FloatType(),
        DoubleType(),
        StringType(),
        DateType(),
        DecimalType(9, 2),
        TimestampType(),
        TimestamptzType(),
    )
    cells = (
        *(True, 1, 2, 0.5, 0.1, "text", "2013-01-02", "1.25"),
        *("2013-01-02T03:04:05", "2013-01-02T03:04:05Z"),
    )
    wanted = schema(*types, required=True)
    rows = rows_to_arrow([{f"c{i}": cell for i, cell in enumerate(cells)}], wanted)
    catalog = SqlCatalog("t", uri=f"sqlite:///{tmp_path}/c.db", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("ops")
    table = catalog.create_table("ops.t", wanted)
    table.append(rows)
    assert table.scan().to_arrow().to_pylist() == rows.to_pylist()
    catalog.close()
