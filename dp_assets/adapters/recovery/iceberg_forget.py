"""A snapshot on top of the current one that no longer lists some files; nothing is deleted.

Manifests that list none of them are carried as they are. The others are written anew, record by
record with the schema that the file has: what goes is DELETED in them, what stays is EXISTING with
everything inherited spelled out. Versions 1 and 2; version 3 also numbers rows.

Source: Iceberg table specification, "Manifests", "Manifest Lists", "Sequence Number Inheritance".
"""

import secrets
import uuid
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.manifest import ManifestContent, ManifestFile

from dp_assets.adapters.iceberg_json import head_id, next_sequence
from dp_assets.adapters.iceberg_snapshot import Staged, list_line, metadata_file, stage_snapshot
from dp_assets.adapters.iceberg_state import TableState
from dp_assets.adapters.recovery.avro_generic import Record, open_container
from dp_assets.adapters.recovery.iceberg_manifests import DELETED
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling

EXISTING = 0
VERSIONS = (1, 2)
OPERATION = "dp.operation"
_TOTALS = ("records", "data-files", "delete-files", "position-deletes", "equality-deletes")


@dataclass(slots=True)
class _Gone:
    """What leaves the table, in the words of a snapshot's summary."""

    counts: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, file: Record) -> None:
        content, rows = file.get("content") or 0, file["record_count"]
        kind = ("records", "position-deletes", "equality-deletes")[content]
        self._more(kind, rows)
        self._more("data-files" if content == 0 else "delete-files", 1)
        self._more("files-size", file["file_size_in_bytes"])

    def _more(self, name: str, count: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + count


def stage_forgetting(state: TableState, lost: Collection[str], *, now_ms: int) -> Staged:
    """Write the manifests and the list of a snapshot without ``lost``. Nothing is visible yet.

    Args:
        state: of the table, with a current snapshot.
        lost: files that the current snapshot lists, by ``one_spelling`` of their paths.
        now_ms: of the snapshot.

    Raises:
        PermanentError: the table is of a version that this cannot write, or does not list all of
            ``lost``.
    """
    if state.raw["format-version"] not in VERSIONS:
        raise PermanentError(
            f"{state.model.location} is of format version {state.raw['format-version']}",
            hint="its rows are numbered by manifest; roll it back, or bring it back by 'dp undrop'",
        )
    snapshot_id = secrets.randbits(63)
    rewriting = _Rewriting(state, frozenset(lost), snapshot_id)
    rewritten = ((m, rewriting.manifest(m)) for m in state.manifests)
    manifests = {old.manifest_path: new for old, new in rewritten if new is not old}
    if unlisted := rewriting.lost - rewriting.met:
        raise PermanentError(
            f"{state.model.location} does not list {min(unlisted)}", hint="run it again"
        )
    return stage_snapshot(
        state,
        (list_line(m, sequence_number=next_sequence(state.raw)) for m in manifests.values()),
        leave=manifests,
        snapshot_id=snapshot_id,
        summary=_summary(state, rewriting.gone.counts),
        now_ms=now_ms,
    )


@dataclass(slots=True)
class _Rewriting:
    """The manifests of one commit; ``met`` are the lost files that were found in them."""

    state: TableState
    lost: frozenset[str]
    snapshot_id: int
    met: set[str] = field(default_factory=set[str])
    gone: _Gone = field(default_factory=_Gone)

    def manifest(self, manifest: ManifestFile) -> ManifestFile:
        """The manifest itself when it lists nothing that is lost."""
        name = manifest.manifest_path
        with self.state.io.new_input(name).open() as stream:
            content = stream.read()
        if not any(self._is_lost(r) for r in _live(open_container(content, name=name).records())):
            return manifest
        container, tally = open_container(content, name=name), _Tally()
        written = bytearray(container.head)
        for block in container.blocks():
            records = [self._carried(record, manifest, tally) for record in _live(iter(block))]
            if records:
                written += container.encode(records)
        location = metadata_file(self.state, f"{uuid.uuid4()}-m0.avro")
        with self.state.io.new_output(location).create() as out:
            out.write(bytes(written))
        return self._listed(manifest, location, length=len(written), tally=tally)

    def _is_lost(self, record: Record) -> bool:
        return one_spelling(record["data_file"]["file_path"]) in self.lost

    def _carried(self, record: Record, manifest: ManifestFile, tally: "_Tally") -> Record:
        lost, added_by = self._is_lost(record), manifest.added_snapshot_id
        if record.get("snapshot_id") is None:
            record["snapshot_id"] = added_by
        # A manifest of version 1 has no such fields: all its files have number 0.
        for name in ("sequence_number", "file_sequence_number"):
            if name in record and record[name] is None:
                record[name] = manifest.sequence_number
        record["status"] = DELETED if lost else EXISTING
        if lost:
            record["snapshot_id"] = self.snapshot_id
            self.met.add(one_spelling(record["data_file"]["file_path"]))
            self.gone.add(record["data_file"])
        tally.add(record, lost=lost)
        return record

    def _listed(
        self, old: ManifestFile, location: str, *, length: int, tally: "_Tally"
    ) -> ManifestFile:
        number = next_sequence(self.state.raw) if tally.is_numbered else 0
        return ManifestFile.from_args(
            manifest_path=location,
            manifest_length=length,
            partition_spec_id=old.partition_spec_id,
            content=old.content or ManifestContent.DATA,
            sequence_number=number,
            min_sequence_number=tally.lowest if tally.lowest is not None else number,
            added_snapshot_id=self.snapshot_id,
            added_files_count=0,
            existing_files_count=tally.files[False],
            deleted_files_count=tally.files[True],
            added_rows_count=0,
            existing_rows_count=tally.rows[False],
            deleted_rows_count=tally.rows[True],
            partitions=old.partitions,
            key_metadata=None,
        )


@dataclass(slots=True)
class _Tally:
    """Files and rows of a manifest, by whether they go; the lowest data sequence number."""

    files: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    rows: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    lowest: int | None = None
    is_numbered: bool = False

    def add(self, record: Record, *, lost: bool) -> None:
        self.files[lost] += 1
        self.rows[lost] += record["data_file"]["record_count"]
        self.is_numbered = "sequence_number" in record
        number = record.get("sequence_number", 0)
        self.lowest = number if self.lowest is None else min(self.lowest, number)


def _live(records: Iterator[Record]) -> Iterator[Record]:
    return (record for record in records if record["status"] != DELETED)


def _summary(state: TableState, gone: Mapping[str, int]) -> dict[str, str]:
    """Operation, what goes, and the totals as far as the snapshot before has them."""
    head = head_id(state.raw)
    listed: list[Mapping[str, Any]] = state.raw.get("snapshots") or []
    before = next((s.get("summary") or {} for s in listed if s["snapshot-id"] == head), {})
    said = {"operation": "delete", OPERATION: "repair"}
    names = {
        "records": "deleted-records",
        "data-files": "deleted-data-files",
        "delete-files": "removed-delete-files",
        "position-deletes": "removed-position-deletes",
        "equality-deletes": "removed-equality-deletes",
        "files-size": "removed-files-size",
    }
    said |= {names[name]: str(count) for name, count in gone.items()}
    for name in (*_TOTALS, "files-size"):
        if (total := before.get(f"total-{name}")) is not None:
            said[f"total-{name}"] = str(max(int(total) - gone.get(name, 0), 0))
    return said
