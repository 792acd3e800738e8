"""A real table, two partitions of three small files, and other engines that write to it."""

import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io import OutputFile
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestEntry,
    ManifestEntryStatus,
    write_manifest_list,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.typedef import Record
from pyiceberg.types import LongType, NestedField, StringType

from dp_assets.adapters.iceberg_json import NewSnapshot, add_snapshot
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.core.ids import TableId
from dp_assets.ports.tables import TableSpec
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.adapters.row_deletes import DeleteManifestWriter
from dp_assets_tests.adapters.table_checks import Row, manifests, path_of

NAME = TableId("raw", "things")
SCHEMA = Schema(
    NestedField(1, "part", StringType(), required=False),
    NestedField(2, "id", LongType(), required=False),
    NestedField(3, "note", StringType(), required=False),
)
SPEC = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "part"))
DECLARED = TableSpec(NAME, SCHEMA, "Things.", ("id",))
PATH, POSITION = (2147483546, "file_path"), (2147483545, "pos")


def rows(part: str, ids: Iterable[int], *, note: str = "first") -> pa.Table:
    numbers = list(ids)
    return pa.table(
        {
            "part": [part] * len(numbers),
            "id": pa.array(numbers, pa.int64()),
            "note": [note] * len(numbers),
        }
    )


@dataclass
class Things:
    """``raw.things``: 1 to 6 in partition a, 11 to 16 in b, two rows a file."""

    lake: Lake
    version: int = 2
    _snapshots: list[int] = field(default_factory=list[int])

    def make(self, **properties: str) -> "Things":
        self.lake.catalog.create_namespace_if_not_exists("raw")
        given = {"format-version": str(self.version), ADOPTED: "true", **properties}
        self.lake.catalog.create_table(
            NAME.identifier, SCHEMA, partition_spec=SPEC, properties=given
        )
        for part, first in (("a", 1), ("b", 11)):
            for n in range(first, first + 6, 2):
                self.table.append(rows(part, [n, n + 1]))
        return self

    @property
    def table(self) -> Table:
        return self.lake.table(DECLARED)

    @property
    def pointer(self) -> str:
        return self.lake.pointer(DECLARED)

    @property
    def raw(self) -> dict[str, Any]:
        return dict(self.lake.raw(DECLARED))

    def rows(self) -> list[Row]:
        """As DuckDB reads them; PyIceberg reads the same where it can, and no file is missing."""
        try:
            self.table.scan().to_arrow()
        except ValueError:  # it has equality deletes
            return self.lake.rows_by_duckdb(DECLARED)
        return self.lake.rows(DECLARED)

    def ids(self) -> list[int]:
        return sorted(row[1] for row in self.rows())

    def check_totals(self) -> None:
        """The head's summary says what its manifests hold, deletes included."""
        head = self.table.current_snapshot()
        assert head
        assert head.summary
        live = [
            entry.data_file
            for manifest in manifests(self.table)
            for entry in manifest.fetch_manifest_entry(self.table.io, discard_deleted=True)
        ]
        kinds = {c: [f for f in live if f.content == c] for c in DataFileContent}
        rows_of = {c: sum(f.record_count for f in files) for c, files in kinds.items()}
        data = kinds[DataFileContent.DATA]
        assert {
            name: int(head.summary[f"total-{name}"] or -1)
            for name in ("data-files", "delete-files", "records", "files-size")
        } == {
            "data-files": len(data),
            "delete-files": len(live) - len(data),
            "records": rows_of[DataFileContent.DATA],
            "files-size": sum(f.file_size_in_bytes for f in live),
        }
        for name, content in (
            ("position-deletes", DataFileContent.POSITION_DELETES),
            ("equality-deletes", DataFileContent.EQUALITY_DELETES),
        ):
            assert int(head.summary[f"total-{name}"] or -1) == rows_of[content]

    def file_of(self, number: int) -> str:
        """The path of the data file with the row."""
        for path in self.table.inspect.data_files()["file_path"].to_pylist():
            if number in pq.ParquetFile(path_of(path)).read()["id"].to_pylist():
                return path
        raise AssertionError(number)

    def delete_positions(self, *numbers: int, part: str, bounds: bool = True) -> None:
        """Position deletes of rows by their ids, in one file."""
        pairs = [(path := self.file_of(n), _position(path, n)) for n in numbers]
        self.delete_at(pairs, part=part, bounds=bounds)

    def delete_at(self, pairs: list[tuple[str, int]], *, part: str, bounds: bool = True) -> None:
        """Position deletes: (path of the data file, row in it) each."""
        content = pa.table(
            [pa.array([p for p, _ in pairs]), pa.array([n for _, n in pairs], pa.int64())],
            schema=pa.schema([_field(PATH, pa.string()), _field(POSITION, pa.int64())]),
        )
        paths = sorted(path.encode() for path, _ in pairs)
        found = {PATH[0]: paths[0]}, {PATH[0]: paths[-1]}
        lower, upper = found if bounds else (None, None)
        self._commit(
            content,
            content=DataFileContent.POSITION_DELETES,
            partition=Record(part),
            lower_bounds=lower,
            upper_bounds=upper,
        )

    def delete_equal(self, *numbers: int, part: str) -> None:
        """An equality delete on ``id``."""
        content = pa.table(
            [pa.array(list(numbers), pa.int64())], schema=pa.schema([_field((2, "id"), pa.int64())])
        )
        self._commit(
            content,
            content=DataFileContent.EQUALITY_DELETES,
            partition=Record(part),
            equality_ids=[2],
        )

    def edit(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Another metadata file, as another engine may write it."""
        raw, pointer = json.loads(json.dumps(self.raw)), self.pointer
        change(raw)
        path = path_of(pointer).with_name(f"00050-{uuid.uuid4()}.metadata.json")
        path.write_text(json.dumps(raw))
        self.lake.move_pointer(f"file://{path}", old=pointer, spec=DECLARED)

    def _commit(self, rows_: pa.Table, **said: Any) -> None:
        table, raw, pointer = self.table, self.raw, self.pointer
        snapshot_id, name = uuid.uuid4().int >> 66, uuid.uuid4()
        location = f"{table.location()}/data/deletes-{name}.parquet"
        pq.write_table(rows_, path_of(location))
        file = DataFile.from_args(
            file_path=location,
            file_format=FileFormat.PARQUET,
            record_count=rows_.num_rows,
            file_size_in_bytes=path_of(location).stat().st_size,
            **said,
        )
        output: OutputFile = table.io.new_output(f"{table.location()}/metadata/{name}-m0.avro")
        with DeleteManifestWriter(
            table.spec(), table.schema(), output, snapshot_id, "deflate"
        ) as writer:
            writer.add_entry(
                ManifestEntry.from_args(
                    status=ManifestEntryStatus.ADDED, snapshot_id=snapshot_id, data_file=file
                )
            )
        listing = f"{table.location()}/metadata/snap-{name}.avro"
        sequence = raw["last-sequence-number"] + 1
        with write_manifest_list(
            2,
            table.io.new_output(listing),
            snapshot_id,
            raw["current-snapshot-id"],
            sequence,
            "deflate",
        ) as lines:
            lines.add_manifests([*manifests(table), writer.to_manifest_file()])
        new = NewSnapshot(
            snapshot_id, raw["last-updated-ms"] + 1, listing, {"operation": "delete"}, 0
        )
        changed = add_snapshot(raw, new, previous_location=pointer)
        self.edit(lambda now: now.update(changed))


def _position(path: str, number: int) -> int:
    return pq.ParquetFile(path_of(path)).read()["id"].to_pylist().index(number)


def _field(column: tuple[int, str], kind: pa.DataType) -> pa.Field:
    field_id, name = column
    return pa.field(name, kind, nullable=False, metadata={"PARQUET:field_id": str(field_id)})
