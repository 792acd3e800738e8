"""The table that a recovery point was made of, read where it was, as far as it is still there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pyiceberg.exceptions import ValidationError as IcebergError

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.recovery.duckdb_proof import reach_s3
from dp_assets.adapters.recovery.reading_proof import SnapshotReader, open_table
from dp_assets.core.errors import LakeError, TransientError
from dp_assets.domains.backup.documents import unpack
from dp_assets.domains.backup.moved_metadata import parse_metadata
from dp_assets.domains.backup.source_comparing import SourceRead
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.reading import Engine, Reading
from dp_assets.ports.recovery import TableContent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import duckdb
    from pyiceberg.io import FileIO

    from dp_assets.ports.lake_files import LakeFiles


@dataclass(frozen=True, slots=True)
class SourceJob:
    """A table to read where it was saved from.

    Attributes:
        content: file with what the point holds, as it is in the repository.
        metadata: file with the table's metadata as the point holds it.
        snapshots: to read, each with the engine that has read the copy.
    """

    table: str
    content: str
    metadata: str
    snapshots: tuple[tuple[int | None, Engine], ...]


class SourceReader:
    """Reads tables at their old places, all through the same files and the same connection.

    Args:
        files: of the lakehouse.
        io: the same files for PyIceberg.
        connection: DuckDB that may open them.
        doing: told of the progress.
    """

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
        self._unreachable = ""

    def read(self, job: SourceJob) -> tuple[SourceRead, ...]:
        """What is there, snapshot by snapshot; never an error.

        Once a store does not answer, no other table waits for it.
        """
        problem = self._unreachable
        try:
            if not problem:
                return tuple(self._read(job))
        except TransientError as error:
            problem = self._unreachable = error.what
        except (LakeError, ValidationError, IcebergError, ValueError, OSError) as error:
            problem = _first_line(error)
        return tuple(SourceRead(snapshot_id, problem=problem) for snapshot_id, _ in job.snapshots)

    def _read(self, job: SourceJob) -> Iterator[SourceRead]:
        content = unpack(TableContent, Path(job.content).read_bytes(), about=job.table)
        self._doing(f"{job.table}: looking for the source")
        metadata, is_there = self._metadata(content, job)
        lists = {s["snapshot-id"]: _first_file(s) for s in metadata.get("snapshots") or ()}
        reader: SnapshotReader | None = None
        for snapshot_id, engine in job.snapshots:
            first = lists.get(snapshot_id) if snapshot_id else content.pointer
            if not (first and self._is_there(first)) or not (snapshot_id or is_there):
                yield SourceRead(snapshot_id)
                continue
            self._doing(f"{job.table}: reading snapshot {snapshot_id} at the source")
            reader = reader or self._reader(metadata, job, pointer=content.pointer)
            found = _read_by(reader, engine, snapshot_id)
            # Files vanish while they are read, when their snapshot expires just then.
            gone = found.problem and not self._is_there(first)
            yield SourceRead(snapshot_id) if gone else found

    def _metadata(self, content: TableContent, job: SourceJob) -> tuple[Mapping[str, Any], bool]:
        """The source's own metadata, and whether that is still there.

        Old metadata files go before the snapshots that they list, and then the point's copy is
        as good: where snapshots were is the same.
        """
        try:
            found = parse_metadata(self._files.read(content.pointer), about=content.pointer)
            if found.get("table-uuid") == content.uuid:
                return found, True
        except MissingObjectError:
            pass
        return parse_metadata(Path(job.metadata).read_bytes(), about=content.pointer), False

    def _is_there(self, location: str) -> bool:
        return self._files.stat(location) is not None

    def _reader(
        self, metadata: Mapping[str, Any], job: SourceJob, *, pointer: str
    ) -> SnapshotReader:
        if local_path(pointer) is None:
            reach_s3(self._connection, self._io.properties)
        # Unzipped and under a name that both engines take for metadata.
        plain = Path(f"{job.metadata}.source.metadata.json")
        plain.write_text(json.dumps(metadata), encoding="utf-8")
        return SnapshotReader(open_table(str(plain), self._io), self._connection)


def _read_by(reader: SnapshotReader, engine: Engine, snapshot_id: int | None) -> SourceRead:
    """By the engine that has read the copy; by the other where that one cannot."""
    readings: list[Reading] = []
    for one in (engine, *(other for other in Engine if other is not engine)):
        reading = reader.read(one, snapshot_id, cannot="")
        if reading.is_read:
            return SourceRead(snapshot_id, reading)
        readings.append(reading)
    said = "; ".join(f"{r.engine}: {r.failed or r.refused}" for r in readings)
    return SourceRead(snapshot_id, problem=said)


def _first_file(snapshot: Mapping[str, Any]) -> str | None:
    """The manifest list; format version 1 may list manifests in the metadata instead."""
    return snapshot.get("manifest-list") or next(iter(snapshot.get("manifests") or ()), None)


def _first_line(error: Exception) -> str:
    text = error.what if isinstance(error, LakeError) else str(error)
    return (text.strip() or type(error).__name__).splitlines()[0]
