"""One new manifest: entries of any source in, a file and its line in the manifest list out.

Entries are encoded at once, so that a manifest of many wide files fits in little memory.
"""

import json
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.adapters.iceberg_avro import (
    BLOCK_RECORDS,
    Schema,
    new_container,
    partition_schema,
    plain,
)
from dp_assets.adapters.iceberg_json import Json, next_sequence
from dp_assets.adapters.iceberg_snapshot import metadata_file, write_file
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.maintenance.partition_bounds import PartitionBounds
from dp_assets.adapters.recovery.avro_generic import Record

EXISTING, ADDED, DELETED = 0, 1, 2
DATA, DELETES = 0, 1
BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Kind:
    """What the entries of a manifest have in common.

    Attributes:
        content: ``DATA`` or ``DELETES``.
        schema: of the new manifest, as text: entries of sources that differ do not mix.
    """

    spec_id: int
    content: int
    schema: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Of an entry, what the line of its manifest is made of."""

    status: int
    rows: int
    sequence_number: int | None
    partition: Record


class NewManifest:
    """A manifest that is being written.

    Args:
        state: the table.
        kind: of its entries.
        snapshot_id: of the commit.
        header: what the file of a source says besides; what is known is said anew.
        block_bytes: of a block before it is compressed, about.
    """

    def __init__(
        self,
        state: TableState,
        kind: Kind,
        *,
        snapshot_id: int,
        header: Mapping[str, bytes],
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._state, self._kind, self._snapshot_id = state, kind, snapshot_id
        self._block_bytes = block_bytes
        self._location = metadata_file(state, f"{uuid.uuid4()}-m0.avro")
        schema: Schema = json.loads(kind.schema)
        self._container = new_container(
            schema, {**header, **_header(state.raw, kind)}, name=self._location
        )
        self._written = bytearray(self._container.head)
        self._waiting = bytearray()
        self._waiting_records = 0
        self._files: Counter[int] = Counter()
        self._rows: Counter[int] = Counter()
        self._lowest: int | None = None
        self._bounds = PartitionBounds(partition_schema(schema))

    @property
    def size(self) -> int:
        """Bytes so far, without a block that is not full yet."""
        return len(self._written)

    def add(self, entry: Record) -> None:
        """An entry by the names of ``kind.schema``, with its status."""
        self.add_plain(figures(entry), plain(self._container, entry))

    def add_plain(self, said: Figures, entry: bytes) -> None:
        """An entry as :func:`plain` makes it."""
        self._files[said.status] += 1
        self._rows[said.status] += said.rows
        self._bounds.add(said.partition)
        number = said.sequence_number
        if said.status != DELETED and number is not None:
            self._lowest = number if self._lowest is None else min(self._lowest, number)
        self._waiting += entry
        self._waiting_records += 1
        if self._waiting_records == BLOCK_RECORDS or len(self._waiting) >= self._block_bytes:
            self._encode()

    def write(self) -> Record:
        """The file, durable, and its line in the list."""
        self._encode()
        write_file(self._state, self._location, bytes(self._written))
        number = next_sequence(self._state.raw)
        return {
            "manifest_path": self._location,
            "manifest_length": len(self._written),
            "partition_spec_id": self._kind.spec_id,
            "content": self._kind.content,
            "sequence_number": number,
            "min_sequence_number": number if self._lowest is None else self._lowest,
            "added_snapshot_id": self._snapshot_id,
            "added_files_count": self._files[ADDED],
            "existing_files_count": self._files[EXISTING],
            "deleted_files_count": self._files[DELETED],
            "added_rows_count": self._rows[ADDED],
            "existing_rows_count": self._rows[EXISTING],
            "deleted_rows_count": self._rows[DELETED],
            "partitions": self._bounds.lines(),
        }

    def _encode(self) -> None:
        if self._waiting_records:
            self._written += self._container.block(self._waiting_records, bytes(self._waiting))
            self._waiting.clear()
            self._waiting_records = 0


def figures(entry: Record) -> Figures:
    """Of an entry by the names of the specification."""
    file = entry["data_file"]
    number = entry.get("sequence_number")
    return Figures(entry["status"], file["record_count"], number, file["partition"])


def current_schema(metadata: Json) -> Any:
    """Iceberg's JSON; version 1 may have only one."""
    current = metadata.get("current-schema-id")
    found = [s for s in metadata.get("schemas") or () if s.get("schema-id") == current]
    return {"type": "struct", **(found[0] if found else metadata["schema"])}


def spec_fields(metadata: Json, spec_id: int) -> Any:
    """Iceberg's JSON of the fields of a partition spec; version 1 may have only one spec."""
    specs = metadata.get("partition-specs") or ()
    found = [spec["fields"] for spec in specs if spec["spec-id"] == spec_id]
    return found[0] if found else metadata.get("partition-spec") or []


def _header(metadata: Json, kind: Kind) -> dict[str, str]:
    schema, version = current_schema(metadata), metadata["format-version"]
    header = {
        "schema": json.dumps(schema),
        "schema-id": str(schema.get("schema-id", 0)),
        "partition-spec": json.dumps(spec_fields(metadata, kind.spec_id)),
        "partition-spec-id": str(kind.spec_id),
        "format-version": str(version),
    }
    if version > 1:
        header["content"] = "deletes" if kind.content == DELETES else "data"
    return header
