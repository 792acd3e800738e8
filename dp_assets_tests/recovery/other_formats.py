"""Tables whose files are ORC or Avro, as other engines write them.

Made by the table specification: PyIceberg writes no such files. ORC files are PyArrow's, which
writes no field ids into them; a name mapping stands in, as it does for migrated Hive tables.
"""

import json
from collections.abc import Sequence

import pyarrow as pa
from pyarrow import orc
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    write_manifest_list,
)
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot, read_metadata
from dp_assets.adapters.pyiceberg_pointer import swap_pointer
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import Lakehouse
from dp_assets_tests.adapters.avro_files import container
from dp_assets_tests.adapters.delete_files import MADE
from dp_assets_tests.adapters.row_deletes import DeleteManifestWriter
from dp_assets_tests.adapters.table_checks import manifests

SCHEMA = Schema(
    NestedField(1, "id", LongType(), required=True),
    NestedField(2, "note", StringType(), required=False),
)
ARROW = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("note", pa.string())])
AVRO = {
    "type": "record",
    "name": "table",
    "fields": [
        {"name": "id", "type": "long", "field-id": 1},
        {"name": "note", "type": ["null", "string"], "default": None, "field-id": 2},
    ],
}
NAMES = '[{"field-id": 1, "names": ["id"]}, {"field-id": 2, "names": ["note"]}]'
PROPERTIES = {"format-version": "2", "schema.name-mapping.default": NAMES}
SNAPSHOT, DELETES = 4242, "deletes"
Rows = Sequence[dict[str, object]]


def build(lake: Lakehouse, form: str) -> Rows:
    """Two commits of five rows in ``form``, then position deletes of three of them in ``form``.

    The table is ``shop.<form>``; gives the rows that are left.
    """
    name = TableId("shop", form.lower())
    table = lake.catalog.create_table(name.identifier, SCHEMA, properties=PROPERTIES)
    rows = [{"id": n, "note": f"row {n}" if n % 3 else None} for n in range(10)]
    paths = [f"{table.location()}/data/{n}.{name.name}" for n in range(2)]
    for path, some in zip(paths, (rows[:5], rows[5:]), strict=True):
        file = _put(table, path, _content(some, form), form=form, rows=len(some))
        with table.transaction() as change, change.update_snapshot().fast_append() as append:
            append.append_data_file(file)
    deleted = [(paths[0], 1), (paths[0], 4), (paths[1], 0)]
    location = f"{table.location()}/data/{DELETES}.{name.name}"
    _commit_deletes(lake, name, _put(table, location, MADE[form](deleted), form=form, rows=3))
    return [row for row in rows if row["id"] not in (1, 4, 5)]


def _content(rows: Rows, form: str) -> bytes:
    if form == "AVRO":
        return container(list(rows[:2]), list(rows[2:]), schema=AVRO, codec="deflate")
    out = pa.BufferOutputStream()
    orc.write_table(pa.Table.from_pylist(list(rows), schema=ARROW), out)
    return out.getvalue().to_pybytes()


def _put(table: Table, path: str, content: bytes, *, form: str, rows: int) -> DataFile:
    with table.io.new_output(path).create() as out:
        out.write(content)
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES if DELETES in path else DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat(form),
        partition=Record(),
        record_count=rows,
        file_size_in_bytes=len(content),
    )
    file.spec_id = 0
    return file


def _commit_deletes(lake: Lakehouse, name: TableId, file: DataFile) -> None:
    table = lake.catalog.load_table(name.identifier)
    pointer = table.metadata_location
    raw = read_metadata(table.io, pointer)
    manifest_list = f"{table.location()}/metadata/snap-{SNAPSHOT}.avro"
    output = table.io.new_output(f"{table.location()}/metadata/deletes-m0.avro")
    with DeleteManifestWriter(table.spec(), table.schema(), output, SNAPSHOT, "deflate") as writer:
        writer.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=SNAPSHOT, data_file=file
            )
        )
    with write_manifest_list(
        2,
        table.io.new_output(manifest_list),
        SNAPSHOT,
        raw["current-snapshot-id"],
        raw["last-sequence-number"] + 1,
        "deflate",
    ) as lines:
        lines.add_manifests([*manifests(table), writer.to_manifest_file()])
    new = NewSnapshot(
        snapshot_id=SNAPSHOT,
        timestamp_ms=raw["last-updated-ms"] + 1,
        manifest_list=manifest_list,
        summary={"operation": "delete"},
        schema_id=table.schema().schema_id,
    )
    later = pointer.replace("/00002-", "/00003-")
    with table.io.new_output(later).create() as out:
        out.write(json.dumps(add_snapshot(raw, new, previous_location=pointer)).encode())
    swap_pointer(lake.catalog, name, old=pointer, new=later)
