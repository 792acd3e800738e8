"""Merge-on-read deletes of the model's table, as another engine writes them; PyIceberg cannot."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    write_manifest_list,
)
from pyiceberg.table import Table
from pyiceberg.typedef import Record

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot, read_metadata
from dp_assets.adapters.pyiceberg_pointer import swap_pointer
from dp_assets.core.ids import TableId
from dp_assets_tests.adapters.row_deletes import DeleteManifestWriter
from dp_assets_tests.adapters.table_checks import manifests, path_of
from dp_assets_tests.faults.model_writes import Said

PATH, POSITION = (2147483546, "file_path"), (2147483545, "pos")


def delete_positions(table: Table, order: Said) -> Said:
    """Merge on read: a delete file for each partition of each spec that has the rows."""
    raw, pointer = read_metadata(table.io, table.metadata_location), table.metadata_location
    snapshot_id = uuid.uuid4().int >> 66
    lines = [
        _delete_manifest(table, snapshot_id, spec_id, partition, pairs)
        for (spec_id, partition), pairs in _positions(table, set(order["ids"])).items()
    ]
    listing = f"{table.location()}/metadata/snap-{uuid.uuid4()}.avro"
    with write_manifest_list(
        2,
        table.io.new_output(listing),
        snapshot_id,
        raw["current-snapshot-id"],
        raw["last-sequence-number"] + 1,
        "deflate",
    ) as out:
        out.add_manifests([*manifests(table), *lines])
    schema_id = table.schema().schema_id
    new = NewSnapshot(
        snapshot_id, raw["last-updated-ms"] + 1, listing, {"operation": "delete"}, schema_id
    )
    number = int(path_of(pointer).name.split("-")[0]) + 1
    path = path_of(pointer).with_name(f"{number:05d}-{uuid.uuid4()}.metadata.json")
    path.write_text(json.dumps(add_snapshot(raw, new, previous_location=pointer)))
    name = TableId(*(".".join(table.name()[:-1]), table.name()[-1]))
    swap_pointer(table.catalog, name, old=pointer, new=f"file://{path}")  # pyright: ignore[reportArgumentType]
    return {"gone": order["ids"], "snapshot": snapshot_id}


def _positions(table: Table, ids: set[int]) -> dict[tuple[int, Record], list[tuple[str, int]]]:
    """Where rows are, dead copies of theirs included; nobody minds those."""
    found: defaultdict[tuple[int, Record], list[tuple[str, int]]] = defaultdict(list)
    for task in table.scan().plan_files():
        file = task.file
        numbers = pq.ParquetFile(path_of(file.file_path)).read(columns=["id"])["id"].to_pylist()
        at = [(file.file_path, n) for n, number in enumerate(numbers) if number in ids]
        if at:
            found[file.spec_id, file.partition] += at
    return found


def _delete_manifest(
    table: Table,
    snapshot_id: int,
    spec_id: int,
    partition: Record,
    pairs: Iterable[tuple[str, int]],
) -> ManifestFile:
    listed, name = sorted(pairs), uuid.uuid4()
    content = pa.table(
        [pa.array([p for p, _ in listed]), pa.array([n for _, n in listed], pa.int64())],
        schema=pa.schema([_field(PATH, pa.string()), _field(POSITION, pa.int64())]),
    )
    location = f"{table.location()}/data/deletes-{name}.parquet"
    pq.write_table(content, path_of(location))
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=partition,
        record_count=len(listed),
        file_size_in_bytes=path_of(location).stat().st_size,
    )
    output = table.io.new_output(f"{table.location()}/metadata/{name}-m0.avro")
    spec = table.specs()[spec_id]
    with DeleteManifestWriter(spec, table.schema(), output, snapshot_id, "deflate") as writer:
        writer.add_entry(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=file
            )
        )
    return writer.to_manifest_file()


def _field(column: tuple[int, str], kind: pa.DataType) -> pa.Field:
    field_id, name = column
    return pa.field(name, kind, nullable=False, metadata={"PARQUET:field_id": str(field_id)})
