"""The live entries of manifests as records that can be written again.

Source: Iceberg table specification, "Sequence Number Inheritance", "First Row ID Inheritance".
"""

from collections.abc import Callable, Iterator

from dp_assets.adapters.iceberg_avro import Schema, partition_schema, schema_of, taking_entry
from dp_assets.adapters.maintenance.entry_sayings import Sayings, saying
from dp_assets.adapters.maintenance.manifest_writing import ADDED, DELETED, EXISTING
from dp_assets.adapters.recovery.avro_generic import Container, Record, open_container
from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.ports.lake_files import LakeFiles

_OURS = ("avro.schema", "avro.codec")


class ManifestSource:
    """A manifest that is read to be written anew."""

    def __init__(self, files: LakeFiles, line: Record) -> None:
        name = line["manifest_path"]
        self._line = line
        self._container = open_container(files.read(name), name=name)
        self.schema: Schema = schema_of(self._container)

    @property
    def header(self) -> dict[str, bytes]:
        """What it says besides its entries."""
        return {k: v for k, v in self._container.metadata.items() if k not in _OURS}

    def entries(self, target: Schema, said: Sayings) -> Iterator[Record]:
        """The live entries by the names of ``target``; ``said`` is told of each."""
        take, say = taking_entry(self.schema, target), saying(self.schema)
        names = [field["name"] for field in partition_schema(target)["fields"]]

        def noted(entry: Record) -> Record:
            if entry["status"] != DELETED:
                said[say(entry)] += 1
            return take(entry)

        for entry in live_entries(self._container, noted, self._line):
            entry["status"] = EXISTING
            file = entry["data_file"]
            # Writers call the fields of a partition differently; their order is that of the spec.
            file["partition"] = dict(zip(names, file["partition"].values(), strict=True))
            yield entry


def live_entries(
    container: Container, take: Callable[[Record], Record], line: Record
) -> Iterator[Record]:
    """The live entries of a manifest as ``take`` makes them, what its line says filled in."""
    next_row_id, number = line.get("first_row_id"), line.get("sequence_number") or 0
    for entry in map(take, container.records()):
        if entry["status"] == DELETED:
            continue
        if entry["snapshot_id"] is None:
            entry["snapshot_id"] = line["added_snapshot_id"]
        if entry["status"] == ADDED or number == 0:
            for name in ("sequence_number", "file_sequence_number"):
                if name in entry and entry[name] is None:
                    entry[name] = number
        if entry.get("sequence_number", number) is None:
            raise damaged(container.name, "a file in it has no sequence number")
        file: Record = entry["data_file"]
        if next_row_id is not None and file.get("first_row_id") is None:
            file["first_row_id"] = next_row_id
            next_row_id += file["record_count"]
        yield entry
