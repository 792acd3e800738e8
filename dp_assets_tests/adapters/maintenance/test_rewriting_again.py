"""Groups that the usual way of writing does not do for: floats with both zeros, large values."""

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    BinaryType,
    DoubleType,
    FixedType,
    FloatType,
    ListType,
    LongType,
    MapType,
    NestedField,
    StringType,
    StructType,
)

from dp_assets.domains.maintenance.row_group_rule import TAKE_OVER
from dp_assets.ports.row_groups import RowGroupRule
from dp_assets_tests.adapters.maintenance.rewriting import (
    append,
    local,
    new_table,
    paths_of,
    rewritten,
)

# Of the 400 MB that an operation has.
PRODUCTION = "128MiB"
FLAT = [
    NestedField(1, "d", DoubleType(), required=False),
    NestedField(2, "f", FloatType(), required=False),
    NestedField(3, "text", StringType(), required=False),
]
INSIDE = NestedField(5, "d", DoubleType(), required=False)
NESTED = [
    NestedField(4, "st", StructType(INSIDE), required=False),
    NestedField(6, "li", ListType(7, FloatType(), element_required=False), required=False),
    NestedField(
        8, "ma", MapType(9, StringType(), 10, DoubleType(), value_required=False), required=False
    ),
]


def zeros(which: float) -> dict[str, Any]:
    """A row with one zero at every place of :data:`FLAT` and :data:`NESTED`."""
    return {
        "d": which,
        "f": which,
        "text": "the same words in many rows",
        "st": {"d": which},
        "li": [which],
        "ma": [("k", which)],
        "fixed": b"abc",
    }


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([], id="flat"),
        pytest.param(NESTED, id="nested"),
        pytest.param([NestedField(11, "fixed", FixedType(3), required=False)], id="fixed"),
    ],
)
def test_both_zeros_stay_what_they_are(tmp_path: Path, more: list[NestedField]):
    schema = Schema(*FLAT, *more)
    names = {field.name for field in schema.fields}
    with new_table(tmp_path, schema) as table:
        for value in (0.0, -0.0, 0.0):
            row = {name: of for name, of in zeros(value).items() if name in names}
            append(table, *[row] * 50)
        found = rewritten(table.metadata_location, tmp_path)
    assert found.rows() == found.rows_before()
    assert sum("d: -0.0" in row for row in found.rows()) == 50
    [file] = found.files
    assert file.statistics.lower[1] == struct.pack("<d", -0.0)
    assert file.statistics.upper[1] == struct.pack("<d", 0.0)
    assert (file.statistics.lower[2], file.statistics.upper[2]) == (
        struct.pack("<f", -0.0),
        struct.pack("<f", 0.0),
    )


def test_words_keep_their_dictionary_beside_both_zeros(tmp_path: Path):
    with new_table(tmp_path, Schema(*FLAT)) as table:
        append(table, *[zeros(0.0)] * 50, *[zeros(-0.0)] * 50)
        [file] = rewritten(table.metadata_location, tmp_path).files
    chunk = pq.read_metadata(local(file.path)).row_group(0).column(2)
    assert (chunk.path_in_schema, chunk.has_dictionary_page) == ("text", True)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """Four row groups of 17 MB, of values of 50 to 150 KB."""
    chance = random.Random(1)  # noqa: S311 - a test
    schema = Schema(
        NestedField(1, "id", LongType(), required=False),
        NestedField(2, "v", BinaryType(), required=False),
    )
    with new_table(tmp_path_factory.mktemp("large"), schema) as table:
        for _ in range(4):
            values = [chance.randbytes(chance.randrange(50_000, 150_000)) for _ in range(170)]
            columns = {"id": pa.array(range(170)), "v": pa.array(values, pa.large_binary())}
            table.append(pa.table(columns))
        yield table


@pytest.mark.parametrize("rule", [TAKE_OVER, None], ids=["taken-over", "row-by-row"])
def test_large_values_fit_in_the_memory_of_an_operation(
    large: Table, tmp_path: Path, rule: RowGroupRule | None
):
    found = rewritten(large.metadata_location, tmp_path, memory_limit=PRODUCTION, take_over=rule)
    assert sum(file.records for file in found.files) == 680
    values: list[bytes] = []
    for file in found.files:
        inside = column(file.path)
        values += inside
        assert file.statistics.lower[2] == min(inside)[:16]
    assert sorted(values) == sorted(v for path in paths_of(large) for v in column(path))


def column(location: str) -> list[Any]:
    return pq.ParquetFile(local(location)).read(["v"])["v"].to_pylist()
