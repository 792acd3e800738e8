"""What only version 3 has: columns with defaults, nanoseconds, names that lineage would take.

PyIceberg 0.12 writes no such table, so one of version 2 is edited to be one.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from dp_assets.adapters.maintenance.row_lineage import LAST_UPDATED, ROW_ID
from dp_assets.ports.compaction import WrittenFile
from dp_assets_tests.adapters.maintenance.equal_deletes import FIELD_ID
from dp_assets_tests.adapters.maintenance.rewriting import (
    SIMPLE,
    append,
    local,
    new_table,
    paths_of,
    rewritten,
)

AT = datetime(2017, 11, 16, 22, 31, 8, 123456)  # noqa: DTZ001 - Iceberg's timestamp has no zone
ID = UUID("f79c3e09-677c-4bbd-a479-3f349cb785e7")
# Type, default as Iceberg's JSON spells it, and what a row has then.
DEFAULTS: dict[str, tuple[str, Any, Any]] = {
    "boolean": ("boolean", True, True),
    "int": ("int", -7, -7),
    "long": ("long", 2**40, 2**40),
    "float": ("float", 0.5, 0.5),
    "double": ("double", -1.25, -1.25),
    "date": ("date", "2020-02-29", date(2020, 2, 29)),
    "time": ("time", "22:31:08.123456", AT.time()),
    "ts": ("timestamp", "2017-11-16T22:31:08.123456", AT),
    "tz": ("timestamptz", "2017-11-16T22:31:08.123456+00:00", AT.replace(tzinfo=UTC)),
    "string": ("string", "it's größe", "it's größe"),
    "uuid": ("uuid", str(ID), ID),
    "binary": ("binary", "00ff", b"\x00\xff"),
    "small": ("decimal(9, 2)", "14.20", Decimal("14.20")),
    "large": ("decimal(38, 10)", f"-{'9' * 28}.0000000001", Decimal(f"-{'9' * 28}.0000000001")),
    "fixed": ("fixed[3]", "010203", b"\x01\x02\x03"),
}


def edited(pointer: str, fields: list[dict[str, Any]]) -> str:
    """The table as one of version 3, upgraded, with another schema."""
    path = local(pointer)
    raw = json.loads(path.read_text())
    schema = {"type": "struct", "schema-id": 5, "fields": fields}
    raw |= {"format-version": 3, "next-row-id": 0, "schemas": [schema], "current-schema-id": 5}
    raw["last-column-id"] = max(field["id"] for field in fields)
    new = path.with_name(f"00099-{path.name}")
    new.write_text(json.dumps(raw))
    return f"file://{new}"


def column(number: int, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": number, "name": name, "type": kind, "required": False, **more}


@pytest.mark.parametrize("left_out", ["fixed", ""], ids=["by-duckdb", "by-pyarrow"])
def test_rows_before_a_column_have_its_default(tmp_path: Path, left_out: str):
    fields = [column(1, "id", "long")]
    for number, (name, (kind, default, _)) in enumerate(DEFAULTS.items(), start=10):
        if name != left_out:
            fields.append(column(number, name, kind, **{"initial-default": default}))
    with new_table(tmp_path, SIMPLE) as table:
        append(table, {"id": 1}, {"id": 2, "text": "a"})
        pointer = edited(table.metadata_location, fields)
    found = rewritten(pointer, tmp_path)
    assert found.rows() == found.rows_before()
    [file] = found.files
    lineage = {"_row_id": None, "_last_updated_sequence_number": None}
    expected = {name: value for name, (_, _, value) in DEFAULTS.items() if name != left_out}
    written = pq.read_table(local(file.path)).to_pylist()
    assert written == [{"id": n, **expected, **lineage} for n in (1, 2)]


def test_nanoseconds_stay(tmp_path: Path):
    moments = [-1, 0, 1_577_836_800_123_456_789, None]
    with new_table(tmp_path, SIMPLE) as table:
        append(table, *({"id": n} for n in range(4)))
        [path] = paths_of(table)
        kind = pa.field("ns", pa.timestamp("ns"), metadata={FIELD_ID: "9"})
        column_of = pa.array(moments, pa.int64()).cast(pa.timestamp("ns"))
        pq.write_table(pa.table([column_of], schema=pa.schema([kind])), local(path))
        pointer = edited(table.metadata_location, [column(9, "ns", "timestamp_ns")])
    [file] = rewritten(pointer, tmp_path).files
    found = pq.read_table(local(file.path))["ns"]
    assert found.type == pa.timestamp("ns")
    assert found.cast(pa.int64()).to_pylist() == moments
    bounds = [int.from_bytes(b[9], "little", signed=True) for b in both_bounds(file)]
    assert (bounds[0] <= -1, bounds[1] >= 1_577_836_800_123_456_789) == (True, True)


def both_bounds(file: WrittenFile) -> tuple[Mapping[int, bytes], Mapping[int, bytes]]:
    return file.statistics.lower, file.statistics.upper


def test_columns_may_be_called_as_those_of_the_lineage(tmp_path: Path):
    schema = Schema(
        NestedField(1, "_row_id", LongType(), required=False),
        NestedField(2, "__ROW_ID", LongType(), required=False),
    )
    with new_table(tmp_path, schema) as table:
        append(table, {"_row_id": 77, "__ROW_ID": 78})
        fields = [column(1, "_row_id", "long"), column(2, "__ROW_ID", "long")]
        pointer = edited(table.metadata_location, fields)
    found = rewritten(pointer, tmp_path)
    assert found.rows() == found.rows_before()
    [file] = found.files
    found_ids = [dict(field.metadata or {}) for field in pq.read_schema(local(file.path))]
    wanted = (1, 2, ROW_ID, LAST_UPDATED)
    assert found_ids == [{FIELD_ID.encode(): str(one).encode()} for one in wanted]
    assert set(file.statistics.value_counts) == {1, 2}
