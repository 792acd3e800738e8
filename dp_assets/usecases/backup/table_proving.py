"""One restored table compared with what its recovery point recorded, then read by both engines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pyiceberg.exceptions import ValidationError as IcebergError

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_proof import snapshot_facts
from dp_assets.adapters.recovery.reading_proof import SnapshotReader, open_table
from dp_assets.core.errors import LakeError
from dp_assets.domains.backup.differences import (
    ComparedTable,
    RestoredTable,
    fact_differences,
    outside_differences,
)
from dp_assets.domains.backup.documents import unpack
from dp_assets.domains.backup.hashing import Discard, HashingReader, drain
from dp_assets.domains.backup.moved_metadata import parse_metadata
from dp_assets.domains.backup.path_map import path_map
from dp_assets.domains.backup.proving import TableProof, prove_table
from dp_assets.domains.backup.reading import SnapshotRead, plan_reading, refusals
from dp_assets.domains.backup.source_comparing import CopyRead, reads_to_compare
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.reading import Engine, Reading
from dp_assets.ports.recovery import FileKind, TableContent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import duckdb
    from pyiceberg.io import FileIO

    from dp_assets.domains.backup.reading import PlannedRead
    from dp_assets.ports.closure import TableClosure
    from dp_assets.ports.lake_files import LakeFiles

# Files that a restore copies as they are; the others name files and are written anew.
BYTE_FOR_BYTE = (
    FileKind.DATA,
    FileKind.EQUALITY_DELETES,
    FileKind.STATISTICS,
    FileKind.PARTITION_STATISTICS,
)


@dataclass(frozen=True, slots=True)
class TableJob:
    """A table to look at.

    Attributes:
        pointer: the metadata file of the copy.
        location: the folder of the copy.
        uuid: that the copy must have; a copy beside its original has a new one.
        content: file with what the point holds, as it is in the repository.
        metadata: file with the table's metadata as the point holds it.
    """

    table: str
    pointer: str
    location: str
    uuid: str
    content: str
    metadata: str


class TableProver:
    """Looks at tables, all through the same files and the same connection."""

    def __init__(
        self,
        files: LakeFiles,
        io: FileIO,
        connection: duckdb.DuckDBPyConnection,
        *,
        doing: Callable[[str], None],
    ) -> None:
        self._files = files
        self._io = io
        self._connection = connection
        self._doing = doing

    def compare(self, job: TableJob) -> ComparedTable:
        """Everything that needs no engine.

        Raises LakeError when the copy cannot even be opened.
        """
        content = unpack(TableContent, Path(job.content).read_bytes(), about=job.table)
        original = parse_metadata(Path(job.metadata).read_bytes(), about=content.pointer)
        self._doing(f"{job.table}: comparing files")
        closure = read_closure(self._files, job.pointer, history=content.history, tolerant=True)
        restored = self._restored(content, original, closure, job=job)
        found = (
            *fact_differences(content, original, restored),
            *outside_differences(closure, job.location),
        )
        return ComparedTable(content, closure, bad_files=len(restored.bad_files), differences=found)

    def read(
        self, job: TableJob, compared: ComparedTable, *, everything: bool, seed: str
    ) -> tuple[TableProof, tuple[CopyRead, ...]]:
        """The verdict, and what to compare with the source.

        A copy whose manifests are broken is not read: engines crash on some.
        """
        specs, content = _specs(compared.closure), compared.content
        planned = plan_reading(content, specs, everything=everything, seed=seed)
        reads = () if compared.closure.broken else self._read(content, planned, job=job)
        copies = reads_to_compare(content.head, reads, everything=everything)
        return prove_table(compared, reads=reads), copies

    def _restored(
        self,
        content: TableContent,
        original: Mapping[str, Any],
        closure: TableClosure,
        *,
        job: TableJob,
    ) -> RestoredTable:
        sha_of = self._hashes(closure)
        bad = _bad_files(content, original, sha_of, location=job.location)
        try:
            facts = snapshot_facts(closure, self._files, {p: s for p, s in sha_of.items() if s})
        except LakeError as error:
            return RestoredTable(closure, (), bad, job.uuid, problem=error.what)
        return RestoredTable(closure, facts, bad, job.uuid)

    def _hashes(self, closure: TableClosure) -> dict[str, str]:
        """SHA-256 by path, "" for a file that is not there; everything is read again."""
        found: dict[str, str] = {}
        for file in closure.files:
            if file.kind in BYTE_FOR_BYTE:
                found[one_spelling(file.path)] = self._sha256(file.path)
        return found

    def _sha256(self, location: str) -> str:
        try:
            with self._files.open(location) as reader:
                hashing = HashingReader(reader)
                drain(hashing, Discard())
        except LakeError:
            return ""  # named where the files are compared
        return hashing.sha256

    def _read(
        self, content: TableContent, planned: tuple[PlannedRead, ...], *, job: TableJob
    ) -> tuple[SnapshotRead, ...]:
        try:
            reader = SnapshotReader(open_table(job.pointer, self._io), self._connection)
        except (ValidationError, IcebergError, ValueError, OSError, LakeError) as error:
            said = str(error).splitlines()[0]
            failed = tuple(Reading(engine, failed=said) for engine in Engine)
            return tuple(SnapshotRead(one, failed) for one in planned[:1])
        cannot = {engine: refusals(content, engine) for engine in Engine}
        found: list[SnapshotRead] = []
        for number, one in enumerate(planned, start=1):
            self._doing(f"{job.table}: reading snapshot {number} of {len(planned)}")
            readings = tuple(
                reader.read(engine, one.snapshot_id, cannot=cannot[engine]) for engine in Engine
            )
            found.append(SnapshotRead(one, readings))
        return tuple(found)


def _specs(closure: TableClosure) -> dict[int, frozenset[int]]:
    """Snapshot -> partition specs of its manifests; nothing of a copy that is broken anyway."""
    if closure.broken:
        return {}
    return {
        snapshot.snapshot_id: frozenset(closure.spec_id(use) for use in snapshot.manifests)
        for snapshot in closure.snapshots
    }


def _bad_files(
    content: TableContent,
    original: Mapping[str, Any],
    sha_of: Mapping[str, str],
    *,
    location: str,
) -> dict[str, str]:
    """Files of the point whose copies are not the same bytes, by their path in the point."""
    to = path_map(original, location)
    bad: dict[str, str] = {}
    for stored in content.files:
        if stored.file.kind in BYTE_FOR_BYTE:
            found = sha_of.get(one_spelling(to(stored.file.path)))
            if found is None:
                bad[stored.file.path] = "the copy's metadata does not name it"
            elif not found:
                bad[stored.file.path] = "it is not there"
            elif found != stored.ref.sha256:
                bad[stored.file.path] = "its bytes are not as recorded"
    return bad
