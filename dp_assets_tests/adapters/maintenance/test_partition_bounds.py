"""Bounds of partitions from values as Avro stores them, in Iceberg's single-value form."""

import struct
from typing import Any

import pytest

from dp_assets.adapters.maintenance.partition_bounds import PartitionBounds

UUID = {"type": "fixed", "size": 2, "logicalType": "uuid", "name": "u"}
DECIMAL = {"type": "fixed", "size": 4, "logicalType": "decimal", "name": "d"}
DATE = {"type": "int", "logicalType": "date"}


def bounds(kind: Any, values: list[Any]) -> dict[str, Any]:
    found = PartitionBounds({"fields": [{"name": "p", "type": ["null", kind]}]})
    for value in values:
        found.add({"p": value})
    (line,) = found.lines()
    return line


@pytest.mark.parametrize(
    ("kind", "values", "lower", "upper"),
    [
        pytest.param("int", [3, -1, None], struct.pack("<i", -1), struct.pack("<i", 3), id="int"),
        pytest.param(DATE, [10], struct.pack("<i", 10), struct.pack("<i", 10), id="date"),
        pytest.param("long", [1, 2], struct.pack("<q", 1), struct.pack("<q", 2), id="long"),
        pytest.param("boolean", [True, False], b"\x00", b"\x01", id="boolean"),
        pytest.param("string", ["é", "z", "a"], b"a", "é".encode(), id="string-by-its-bytes"),
        pytest.param(
            "double", [0.0, -0.0], struct.pack("<d", -0.0), struct.pack("<d", 0.0), id="zeros"
        ),
        pytest.param("float", [1.5], struct.pack("<f", 1.5), struct.pack("<f", 1.5), id="float"),
        pytest.param("bytes", [b"\xff", b"\x01\x02"], b"\x01\x02", b"\xff", id="bytes"),
        pytest.param(UUID, [b"\xff\x00", b"\x00\x01"], b"\x00\x01", b"\xff\x00", id="uuid"),
        pytest.param(
            DECIMAL,
            [n.to_bytes(4, "big", signed=True) for n in (128, -129, 5)],
            b"\xff\x7f",
            b"\x00\x80",
            id="decimal-in-the-fewest-bytes",
        ),
        pytest.param("string", [None], None, None, id="only-nulls"),
    ],
)
def test_lowest_and_highest(kind: Any, values: list[Any], lower: bytes, upper: bytes):
    line = bounds(kind, values)
    assert (line["lower_bound"], line["upper_bound"]) == (lower, upper)
    assert line["contains_null"] == (None in values)


def test_nan_is_no_bound():
    line = bounds("double", [float("nan"), 1.0])
    assert line["contains_nan"]
    assert line["lower_bound"] == line["upper_bound"] == struct.pack("<d", 1.0)
