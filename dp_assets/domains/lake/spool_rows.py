"""Spooled rows as Arrow, exactly: what does not fit its column is refused, never rounded."""

# pyarrow has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation, localcontext

import pyarrow as pa
from pyiceberg.schema import Schema
from pyiceberg.types import (
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
from dp_assets.ports.spool import Row, Scalar

Cell = str | int | float | bool | date | datetime | Decimal | None
Convert = Callable[[Scalar], Cell]
# Python's parser silently cuts what is finer than a microsecond.
ISO_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(?P<offset>Z|[+-]\d\d:\d\d)?"
)
EXACT_IN_DOUBLE = 2**53
HINT = "compare what the row's writer puts into it with the table's declaration"
DECIMAL_DIGITS = 38  # the most that Iceberg has


def rows_to_arrow(rows: Sequence[Row], schema: Schema) -> pa.Table:
    """``rows`` as a table with the columns of ``schema``, in its order.

    Dates and timestamps are read from ISO 8601 text, decimals from text. A column that a row does
    not have is null there.

    Raises:
        PermanentError: an unknown column, null in a required one, a value that is not exactly one
            of its column's type, or a column of a type that a spooled row cannot hold.
    """
    columns = {field.name: _column(field) for field in schema.fields}
    cells: dict[str, list[Cell]] = {name: [] for name in columns}
    for number, row in enumerate(rows):
        if unknown := sorted(set(row) - set(columns)):
            raise _misfit(number, unknown[0], "there is no such column")
        for name, (field, convert) in columns.items():
            cells[name].append(_cell(row.get(name), convert, field=field, number=number))
    arrow = [
        pa.field(f.name, arrow_type(f.field_type), nullable=not f.required) for f in schema.fields
    ]
    try:
        return pa.table(cells, schema=pa.schema(arrow))
    except (pa.ArrowException, OverflowError, UnicodeEncodeError) as error:
        raise PermanentError(
            f"spooled rows do not fit their columns: {error}", hint=HINT
        ) from error


def arrow_type(kind: IcebergType) -> pa.DataType:
    """The Arrow type of a column that spooled rows can fill."""
    if isinstance(kind, DecimalType):
        return pa.decimal128(kind.precision, kind.scale)
    return TYPES[type(kind)][0]


def _column(field: NestedField) -> tuple[NestedField, Convert]:
    kind = field.field_type
    if isinstance(kind, DecimalType):
        return field, lambda value: _decimal(value, kind)
    if type(kind) not in TYPES:
        raise PermanentError(
            f"column {field.name} has type {kind}, which spooled rows cannot hold",
            hint="spool text or numbers; other tables are written directly",
        )
    return field, TYPES[type(kind)][1]


def _cell(value: Scalar, convert: Convert, *, field: NestedField, number: int) -> Cell:
    if value is None:
        if field.required:
            raise _misfit(number, field.name, "null in a required column")
        return None
    try:
        return convert(value)
    except (ValueError, TypeError, OverflowError, InvalidOperation) as error:
        raise _misfit(number, field.name, f"{value!r} is not exactly {field.field_type}") from error


def _misfit(number: int, column: str, why: str) -> PermanentError:
    return PermanentError(f"spooled row {number}, column {column}: {why}", hint=HINT)


def _of(kind: type[str | bool]) -> Convert:
    def convert(value: Scalar) -> Cell:
        if type(value) is not kind:
            raise TypeError
        return value

    return convert


def _whole(bits: int) -> Convert:
    def convert(value: Scalar) -> Cell:
        if type(value) is not int:
            raise TypeError
        if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
            raise OverflowError
        return value

    return convert


def _double(value: Scalar) -> float:
    if type(value) is int and abs(value) <= EXACT_IN_DOUBLE:
        return float(value)
    if type(value) is not float:
        raise TypeError
    return value


def _float(value: Scalar) -> float:
    number = _double(value)
    (single,) = struct.unpack("f", struct.pack("f", number))
    if single != number and not math.isnan(number):
        raise ValueError
    return number


def _decimal(value: Scalar, kind: DecimalType) -> Decimal:
    if type(value) not in (str, int):
        raise TypeError
    number = Decimal(str(value))
    with localcontext(prec=2 * DECIMAL_DIGITS):
        exact = number.quantize(Decimal(1).scaleb(-kind.scale))
    if exact != number or len(exact.as_tuple().digits) > kind.precision:
        raise ValueError
    return exact


def _date(value: Scalar) -> date:
    if type(value) is not str or len(value) != len("2013-01-02"):
        raise TypeError
    return date.fromisoformat(value)


def _timestamp(*, zoned: bool) -> Convert:
    """Zoned text needs an offset, zoneless text must have none."""

    def convert(value: Scalar) -> datetime:
        found = ISO_TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
        if not found or (found["offset"] is not None) is not zoned:
            raise ValueError
        moment = datetime.fromisoformat(found[0])
        # Arrow's own conversion of other offsets depends on what else the process has imported.
        return moment.astimezone(UTC) if zoned else moment

    return convert


TYPES: dict[type[IcebergType], tuple[pa.DataType, Convert]] = {
    BooleanType: (pa.bool_(), _of(bool)),
    IntegerType: (pa.int32(), _whole(32)),
    LongType: (pa.int64(), _whole(64)),
    FloatType: (pa.float32(), _float),
    DoubleType: (pa.float64(), _double),
    StringType: (pa.string(), _of(str)),
    DateType: (pa.date32(), _date),
    TimestampType: (pa.timestamp("us"), _timestamp(zoned=False)),
    TimestamptzType: (pa.timestamp("us", tz="UTC"), _timestamp(zoned=True)),
}
