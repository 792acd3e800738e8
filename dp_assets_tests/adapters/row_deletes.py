"""Row-level deletes as other engines write them; PyIceberg cannot. By the table specification."""

import json
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import OutputFile
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestWriterV2,
    write_manifest_list,
)
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot
from dp_assets_tests.adapters.orders import (
    Lake,
)
from dp_assets_tests.adapters.table_checks import (
    manifests,
    path_of,
)

PATH_ID, POSITION_ID = 2147483546, 2147483545
SNAPSHOT = 4242


class DeleteManifestWriter(ManifestWriterV2):
    """A manifest whose entries are delete files."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def delete_positions(lake: Lake, *, partition: Record, deletes: Iterable[tuple[str, int]]) -> None:
    """Commit position deletes: (path of the data file, row in it) each."""
    pairs = list(deletes)
    rows = pa.table(
        [pa.array([p for p, _ in pairs]), pa.array([n for _, n in pairs], pa.int64())],
        schema=pa.schema(
            [_field("file_path", pa.string(), PATH_ID), _field("pos", pa.int64(), POSITION_ID)]
        ),
    )
    _commit(lake, rows, content=DataFileContent.POSITION_DELETES, partition=partition)


def delete_where_id(lake: Lake, ids: Iterable[int], *, partition: Record) -> None:
    """Commit an equality delete on column ``id`` (field 2)."""
    rows = pa.table(
        [pa.array(list(ids), pa.int32())], schema=pa.schema([_field("id", pa.int32(), 2)])
    )
    _commit(lake, rows, content=DataFileContent.EQUALITY_DELETES, partition=partition, on=[2])


def _field(name: str, kind: pa.DataType, field_id: int) -> pa.Field:
    return pa.field(name, kind, nullable=False, metadata={"PARQUET:field_id": str(field_id)})


def _commit(
    lake: Lake,
    rows: pa.Table,
    *,
    content: DataFileContent,
    partition: Record,
    on: list[int] | None = None,
) -> None:
    table, raw, pointer = lake.table(), lake.raw(), lake.pointer()
    location = f"{table.location()}/data/deletes-{content.name.lower()}.parquet"
    pq.write_table(rows, path_of(location))
    file = DataFile.from_args(
        content=content,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=rows.num_rows,
        file_size_in_bytes=path_of(location).stat().st_size,
        equality_ids=on,
    )
    sequence = raw["last-sequence-number"] + 1
    manifest_list = f"{table.location()}/metadata/snap-{SNAPSHOT}.avro"
    manifest = _manifest(table, file)
    with write_manifest_list(
        2,
        table.io.new_output(manifest_list),
        SNAPSHOT,
        raw["current-snapshot-id"],
        sequence,
        "deflate",
    ) as writer:
        writer.add_manifests([*manifests(table), manifest])
    new = NewSnapshot(
        snapshot_id=SNAPSHOT,
        timestamp_ms=raw["last-updated-ms"] + 1,
        manifest_list=manifest_list,
        summary={"operation": "delete"},
        schema_id=table.schema().schema_id,
    )
    path = path_of(pointer).with_name("00050-deletes.metadata.json")
    path.write_text(json.dumps(add_snapshot(raw, new, previous_location=pointer)))
    lake.move_pointer(f"file://{path}", old=pointer)


def _manifest(table: Table, file: DataFile):
    output: OutputFile = table.io.new_output(f"{table.location()}/metadata/deletes-m0.avro")
    with DeleteManifestWriter(table.spec(), table.schema(), output, SNAPSHOT, "deflate") as writer:
        writer.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=SNAPSHOT, data_file=file
            )
        )
    return writer.to_manifest_file()
