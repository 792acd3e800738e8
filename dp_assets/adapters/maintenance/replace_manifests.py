"""The manifests of a compaction: those that list what goes, merged, and with the new files.

Only manifests that list something that goes are read and rewritten, and those of one spec are
merged: hundreds of manifests with a file each become one, which lists the new files, too. What
leaves is DELETED in it, what stays EXISTING, both with everything inherited spelled out. New files
are ADDED with the sequence number of the planned snapshot, so that later equality deletes apply to
them as to the old ones.

Source: Iceberg table specification, "Manifests", "Sequence Number Inheritance", "First Row ID
Inheritance".
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dp_assets.adapters.iceberg_avro import (
    Schema,
    data_file_schema,
    entry_schema,
    filled,
    schema_of,
    taking_entry,
)
from dp_assets.adapters.iceberg_snapshot import read_file
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.manifest_reading import live_entries
from dp_assets.adapters.maintenance.manifest_writing import (
    ADDED,
    DATA,
    DELETED,
    EXISTING,
    Kind,
    NewManifest,
)
from dp_assets.adapters.recovery.avro_generic import Record, open_container
from dp_assets.ports.compaction import RewrittenGroup, WrittenFile

# A manifest of that many entries is a few MB; more would make planning read too much at once.
MAX_ENTRIES = 20_000
_OURS = ("avro.schema", "avro.codec")


@dataclass(frozen=True, slots=True)
class Leaving:
    """What the commit takes out.

    Attributes:
        data: paths of data files.
        deletes: path and offset of delete entries.
    """

    data: Collection[str]
    deletes: Collection[tuple[str, int]]

    def has(self, file: Record) -> bool:
        if not file.get("content"):
            return file["file_path"] in self.data
        return (file["file_path"], file.get("content_offset") or 0) in self.deletes


@dataclass(frozen=True, slots=True)
class _Place:
    """How the manifest that lists a data file says its partition, and in which format."""

    partition: Record
    schema: str
    header: Mapping[str, bytes]


@dataclass(slots=True)
class ReplaceManifests:
    """The manifests of one commit, as they are being written.

    Attributes:
        state: the table.
        snapshot_id: of the commit.
        sequence_number: of the planned snapshot.
        lines: of the manifests written so far.
    """

    state: TableState
    snapshot_id: int
    sequence_number: int
    leaving: Leaving
    lines: list[Record] = field(default_factory=list[Record])
    _open: dict[Kind, NewManifest] = field(default_factory=dict[Kind, NewManifest])
    _counts: dict[Kind, int] = field(default_factory=dict[Kind, int])
    _places: dict[str, _Place] = field(default_factory=dict[str, _Place])

    @property
    def version(self) -> int:
        return self.state.raw["format-version"]

    def rewrite(self, lines: Sequence[Record]) -> None:
        """Merge the manifests of ``lines`` by spec and content, without what leaves."""
        self.replace(lines, ())

    def replace(self, lines: Sequence[Record], groups: Sequence[RewrittenGroup]) -> None:
        """Merge the manifests of ``lines`` by spec and content, and list the new files in them.

        A manifest of their own would stay as one more, with nothing but what left in the other.
        """
        for line in lines:
            self._rewrite_one(line)
        for one in groups:
            place = self._places[one.group.inputs[0].path]
            kind = Kind(one.group.spec_id, DATA, place.schema)
            schema = json.loads(place.schema)
            for file in one.written:
                self._put(kind, self._added(file, place, schema), header=place.header)
        self._close()

    def _rewrite_one(self, line: Record) -> None:
        name = line["manifest_path"]
        container = open_container(read_file(self.state, name), name=name)
        source = schema_of(container)
        schema = entry_schema(self.version, source)
        text = json.dumps(schema, sort_keys=True)
        kind = Kind(line["partition_spec_id"], line.get("content") or DATA, text)
        header = {k: v for k, v in container.metadata.items() if k not in _OURS}
        take = taking_entry(source, schema)
        for entry in live_entries(container, take, line):
            file = entry["data_file"]
            leaves = self.leaving.has(file)
            if leaves and not file.get("content"):
                self._places[file["file_path"]] = _Place(file["partition"], text, header)
            entry["status"] = DELETED if leaves else EXISTING
            if leaves:
                entry["snapshot_id"] = self.snapshot_id
            self._put(kind, entry, header=header)

    def _added(self, file: WrittenFile, place: _Place, schema: Schema) -> Record:
        entry = {
            "status": ADDED,
            "snapshot_id": self.snapshot_id,
            "sequence_number": self.sequence_number,
            "data_file": filled(_data_file(file, place.partition), data_file_schema(schema)),
        }
        return filled(entry, schema)

    def _put(self, kind: Kind, entry: Record, *, header: Mapping[str, bytes]) -> None:
        if self._counts.get(kind, 0) >= MAX_ENTRIES:
            self.lines.append(self._open.pop(kind).write())
            self._counts[kind] = 0
        if kind not in self._open:
            self._open[kind] = NewManifest(
                self.state, kind, snapshot_id=self.snapshot_id, header=header
            )
        self._open[kind].add(entry)
        self._counts[kind] = self._counts.get(kind, 0) + 1

    def _close(self) -> None:
        self.lines += [manifest.write() for manifest in self._open.values()]
        self._open, self._counts = {}, {}


def _data_file(file: WrittenFile, partition: Record) -> Record:
    """By the names of the specification."""
    said = file.statistics
    return {
        "file_path": file.path,
        "file_format": "PARQUET",
        "partition": partition,
        "record_count": file.records,
        "file_size_in_bytes": file.size,
        "column_sizes": _pairs(said.column_sizes),
        "value_counts": _pairs(said.value_counts),
        "null_value_counts": _pairs(said.null_counts),
        "nan_value_counts": _pairs(said.nan_counts),
        "lower_bounds": _pairs(said.lower),
        "upper_bounds": _pairs(said.upper),
        "split_offsets": list(file.split_offsets),
        "sort_order_id": file.sort_order_id,
    }


def _pairs(values: Mapping[int, int] | Mapping[int, bytes]) -> list[Record]:
    return [{"key": key, "value": value} for key, value in sorted(values.items())]
