"""Equality deletes of real tables, and what must be left.

No reader here knows them all: PyIceberg reads none, DuckDB applies them across partitions. So what
must be left is said by the test.
"""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from dp_assets_tests.adapters.maintenance.rewriting import SIMPLE, local, shown

FIELD_ID = "PARQUET:field_id"


def delete_equal(
    table: Table,
    keys: pa.Table,
    *,
    partition: Record | None = None,
    ids: bool = True,
    beside: Iterable[DataFile] = (),
) -> None:
    """Commit an equality delete by all columns of ``keys``, and the data files ``beside``.

    They carry their field ids, or are the table's. Listed among data files, as both readers take
    them.
    """
    numbered = [
        field
        if field.metadata
        else field.with_metadata({FIELD_ID: str(table.schema().find_field(field.name).field_id)})
        for field in keys.schema
    ]
    location = f"{table.location()}/data/equal-{uuid4()}.parquet"
    local(location).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(keys.cast(pa.schema(numbered)) if ids else keys, local(location))
    made = DataFile.from_args(
        content=DataFileContent.EQUALITY_DELETES,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=partition or Record(),
        record_count=keys.num_rows,
        file_size_in_bytes=local(location).stat().st_size,
        equality_ids=[int((field.metadata or {})[FIELD_ID.encode()]) for field in numbered],
    )
    made.spec_id = table.spec().spec_id
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as update:
        for file in (made, *beside):
            update.append_data_file(file)


def rows(*found: dict[str, Any], schema: Schema = SIMPLE) -> list[str]:
    """As tests compare them."""
    return shown(pa.Table.from_pylist(list(found), schema=schema.as_arrow()))


def ids(*numbers: int | None) -> pa.Table:
    """Keys of deletes by ``id``."""
    return pa.table({"id": pa.array(numbers, pa.int64())})


def pairs(*found: tuple[int | None, str | None]) -> pa.Table:
    """Keys of deletes by ``id`` and ``text``."""
    return pa.table(
        {
            "id": pa.array([number for number, _ in found], pa.int64()),
            "text": pa.array([text for _, text in found], pa.string()),
        }
    )
