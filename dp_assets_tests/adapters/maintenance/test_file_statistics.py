"""Statistics of a file: PyIceberg's, and right where PyIceberg's would be too narrow."""

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from pyiceberg.conversions import from_bytes
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    DecimalType,
    DoubleType,
    FloatType,
    LongType,
    NestedField,
    StringType,
    StructType,
    TimestamptzType,
)

from dp_assets.adapters.maintenance.file_statistics import MeasuredFile, measure_file
from dp_assets_tests.adapters.maintenance.rewriting import append, local, new_table

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "text", StringType(), required=False),
    NestedField(3, "amount", DecimalType(20, 2), required=False),
    NestedField(4, "at", TimestamptzType(), required=False),
    NestedField(
        5,
        "inner",
        StructType(
            NestedField(6, "x", DoubleType(), required=False),
            NestedField(7, "y", StringType(), required=False),
        ),
        required=False,
    ),
    NestedField(8, "f", FloatType(), required=False),
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        yield found


def by_duckdb(
    connection: duckdb.DuckDBPyConnection, path: Path, query: str, **properties: str
) -> MeasuredFile:
    """``query`` gives id, text and f, in row groups of 2,048."""
    connection.execute(
        f"COPY (SELECT id, text, f::FLOAT AS f FROM ({query})) TO '{path}' "
        "(FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS {id: 1, text: 2, f: 8})"
    )
    fields = [f for f in SCHEMA.fields if f.name in ("id", "text", "f")]
    return measure_file(connection, path, schema=Schema(*fields), properties=properties)


def test_they_are_what_pyiceberg_says_of_its_own_file(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection
):
    with new_table(tmp_path, SCHEMA) as table:
        append(
            table,
            {"id": 5, "text": "some text that is longer than sixteen", "f": 1.5},
            {"id": None, "text": None, "inner": {"x": 0.5, "y": "z"}, "f": -2.0},
            {"id": -7, "text": "größe", "inner": None},
        )
        [entry] = entries(table)
        found = measure_file(
            connection, local(entry.file_path), schema=table.schema(), properties=table.properties
        )
        floats = table.schema().find_field("f").field_id
    said = found.statistics
    assert (found.records, found.size) == (entry.record_count, entry.file_size_in_bytes)
    assert list(found.split_offsets) == entry.split_offsets
    assert said.column_sizes == entry.column_sizes
    assert said.value_counts == entry.value_counts
    assert said.null_counts == entry.null_value_counts
    assert said.lower == entry.lower_bounds
    assert said.upper == entry.upper_bounds
    assert said.nan_counts == {floats: 0}  # PyIceberg counts none


def entries(table: Table):
    return [task.file for task in table.scan().plan_files()]


def test_bounds_hold_every_row_group_and_leave_nan_out(tmp_path: Path, connection):
    """The first row group has no NaN, so the footer has bounds for it alone."""
    found = by_duckdb(
        connection,
        tmp_path / "a.parquet",
        "SELECT range AS id, 'x' AS text, CASE WHEN range = 5000 THEN 'nan'::FLOAT "
        "WHEN range = 5001 THEN NULL ELSE range END AS f FROM range(6000)",
    ).statistics
    chunks = pq.read_metadata(tmp_path / "a.parquet")
    has = [chunks.row_group(n).column(2).statistics.has_min_max for n in range(3)]
    assert has == [True, True, False]
    assert (found.nan_counts[8], found.null_counts[8]) == (1, 1)
    assert from_bytes(FloatType(), found.lower[8]) == 0
    assert from_bytes(FloatType(), found.upper[8]) == 5999


def test_both_zeros_are_within_the_bounds(tmp_path: Path, connection):
    for value in ("0.0", "-0.0"):
        query = f"SELECT 1 AS id, 'x' AS text, {value}::FLOAT AS f"
        said = by_duckdb(connection, tmp_path / "a.parquet", query).statistics
        assert (said.lower[8], said.upper[8]) == (struct.pack("<f", -0.0), struct.pack("<f", 0.0))
        assert math.copysign(1, struct.unpack("<f", said.lower[8])[0]) == -1


def test_only_nan_and_only_null_have_no_bounds(tmp_path: Path, connection):
    said = by_duckdb(
        connection,
        tmp_path / "a.parquet",
        "SELECT NULL::BIGINT AS id, NULL::VARCHAR AS text, 'nan'::FLOAT AS f FROM range(3)",
    ).statistics
    assert (said.lower, said.upper) == ({}, {})
    assert (said.null_counts, said.nan_counts) == ({1: 3, 2: 3, 8: 0}, {8: 3})


def test_long_strings_have_bounds_in_every_row_group(tmp_path: Path, connection):
    """DuckDB writes none where it cannot cut a value; the least one is in such a row group."""
    said = by_duckdb(
        connection,
        tmp_path / "a.parquet",
        "SELECT range AS id, CASE WHEN range = 3000 THEN repeat('a', 9999) "
        "WHEN range = 3001 THEN repeat('é', 9999) ELSE 'm' END AS text, 0 AS f FROM range(4096)",
    ).statistics
    assert said.lower[2] == b"a" * 16
    assert said.upper[2] == ("é" * 15 + "ê").encode()


@pytest.mark.parametrize(
    ("mode", "bounds", "counts"),
    [
        ("none", {}, {8: 1}),
        ("counts", {}, {8: 1}),
        ("truncate(2)", b"ab", {8: 1}),
        ("full", b"abcdef", {8: 1}),
    ],
)
def test_the_table_says_which_columns_have_bounds(tmp_path: Path, connection, mode, bounds, counts):
    found = by_duckdb(
        connection,
        tmp_path / "a.parquet",
        "SELECT 1 AS id, 'abcdef' AS text, 'nan'::FLOAT AS f",
        **{"write.metadata.metrics.column.text": mode},
    ).statistics
    assert found.lower.get(2, {}) == bounds
    assert (2 in found.null_counts) is (mode != "none")
    assert found.nan_counts == counts
