"""One table of a recovery point: taken over from an earlier point, or copied and described."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dp_assets.adapters.recovery.iceberg_closure import immovable, read_closure
from dp_assets.adapters.recovery.iceberg_proof import snapshot_facts
from dp_assets.core.errors import LakeError
from dp_assets.domains.backup.movable import colliding_paths
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, PointTable, References, TableContent
from dp_assets.ports.repository_index import FileKey
from dp_assets.usecases.backup.backup_parts import (
    BrokenError,
    SourceError,
    VanishedError,
)
from dp_assets.usecases.backup.source_files import SourceFiles, retried

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.ports.closure import TableClosure
    from dp_assets.ports.recovery import History, ObjectRef, SnapshotFacts, StoredFile
    from dp_assets.usecases.backup.backup_parts import Parts
    from dp_assets.usecases.backup.row_counts import RowCounts
    from dp_assets.usecases.backup.source_files import Copied

HASHED = (FileKind.DATA, FileKind.EQUALITY_DELETES)  # what the facts name by its bytes


@dataclass(frozen=True, slots=True)
class Vanished:
    """A table that could not be taken because a file of it is gone."""

    table: TableId
    pointer: str
    what: str


class TableTaker:
    """Makes the lines of a point.

    Args:
        suspect: objects that are condemned or known to be damaged.
    """

    def __init__(self, parts: Parts, counts: RowCounts, *, suspect: Collection[str]) -> None:
        self._parts = parts
        self._counts = counts
        self._suspect = frozenset(suspect)
        self._sources = SourceFiles(parts)

    def unchanged(self, lines: Collection[PointTable]) -> dict[str, PointTable]:
        """Those whose metadata file is still the one that was copied, by table; none is opened.

        A line is not taken over when an object of it is suspect: taking the table anew stores
        that object again.
        """
        wanted = [line for line in lines if not relies_on(self._parts, line, self._suspect)]
        index = self._parts.target.index
        stats = self._sources.stats([line.pointer for line in wanted])
        keys = {
            line.table: FileKey(line.uuid, line.pointer, stat.size, stat.version)
            for line, stat in zip(wanted, stats, strict=True)
            if stat is not None
        }
        known = index.files(list(keys.values()))
        return {
            line.table: replace(line, copied_files=0, copied_bytes=0, skew_ms=0)
            for line in wanted
            if (key := keys.get(line.table)) and key in known and not known[key].pending
        }

    def take(
        self, table: TableId, pointer: str, *, skew_ms: int = 0, read_all: bool = False
    ) -> PointTable | Vanished:
        """The table as ``pointer`` says, every file of it in the repository.

        With ``read_all`` known files are read too and must be what they were. A table that cannot
        be copied whole gives a line with a problem. Raises LakeError when the repository cannot
        be written or a lease is lost.
        """
        if not pointer:
            return incomplete(table, pointer, "the catalog names no metadata file", skew_ms=skew_ms)
        try:
            return self._take(table, pointer, skew_ms=skew_ms, read_all=read_all)
        except VanishedError as error:
            return Vanished(table, pointer, str(error))
        except BrokenError as error:
            return incomplete(table, pointer, str(error), skew_ms=skew_ms)
        except SourceError as error:
            return incomplete(table, pointer, error.error.what, skew_ms=skew_ms)

    def _take(self, table: TableId, pointer: str, *, skew_ms: int, read_all: bool) -> PointTable:
        self._parts.progress.phase(str(table))
        closure = retried(lambda: self._closure(pointer), self._parts.sleep)
        copied = self._sources.store(uuid_of(closure), closure.files, read_all=read_all)
        facts = self._facts(table, closure, copied.files)
        content = _content(table, closure, self._parts.wanted.history, copied.files, facts)
        ref, _ = self._parts.add_document(content)
        references = self._parts.add_public(_references(copied.files))
        return _line(content, ref, references, skew_ms=skew_ms, copied=copied)

    def _closure(self, pointer: str) -> TableClosure:
        with _of_the_source():
            return read_closure(self._parts.files, pointer, history=self._parts.wanted.history)

    def _facts(
        self, table: TableId, closure: TableClosure, stored: tuple[StoredFile, ...]
    ) -> tuple[SnapshotFacts, ...]:
        hashes = {one.file.path: one.ref.sha256 for one in stored if one.file.kind in HASHED}

        def read() -> tuple[SnapshotFacts, ...]:
            with _of_the_source():
                return snapshot_facts(closure, self._parts.files, hashes)

        facts = retried(read, self._parts.sleep)
        wanted = {closure.head, *(ref["snapshot-id"] for ref in closure.refs.values())}
        unread = [
            one.snapshot_id for one in facts if one.rows is None and one.snapshot_id in wanted
        ]
        counted = self._counts.of(table, closure, unread)
        by_id = {number: {"rows": rows, "rows_by": by} for number, (rows, by) in counted.items()}
        return tuple(replace(one, **by_id.get(one.snapshot_id, {})) for one in facts)


def relies_on(parts: Parts, line: PointTable, names: Collection[str]) -> bool:
    """Whether one of ``names`` is an object of the table; reads nothing when there are none."""
    if not names or line.content is None or line.references is None:
        return False
    if line.content.name in names or line.references.name in names:
        return True
    listed = parts.target.points.references(line.references.name)
    return any(name in names for name, _, _ in listed.objects)


def incomplete(table: TableId, pointer: str, problem: str, *, skew_ms: int = 0) -> PointTable:
    """The line of a table that the point does not hold."""
    return PointTable(
        table=str(table),
        uuid="",
        pointer=pointer,
        files=0,
        bytes=0,
        rows=None,
        snapshots=0,
        head=None,
        content=None,
        references=None,
        problem=problem,
        skew_ms=skew_ms,
    )


def immovable_tables(lines: Iterable[PointTable]) -> list[str]:
    """In words; said while there still is a warehouse to change something about it."""
    return [
        f"{line.table} can be restored to its own paths only: {line.immovable}"
        for line in lines
        if line.immovable
    ]


@contextmanager
def _of_the_source() -> Generator[None, None, None]:
    """What goes wrong here is the table's problem, not the repository's."""
    try:
        yield
    except MissingObjectError as error:
        raise VanishedError(error.what) from error
    except LakeError as error:
        raise SourceError(error) from error


def _content(
    table: TableId,
    closure: TableClosure,
    history: History,
    files: tuple[StoredFile, ...],
    facts: tuple[SnapshotFacts, ...],
) -> TableContent:
    return TableContent(
        table=str(table),
        uuid=uuid_of(closure),
        pointer=closure.pointer,
        location=str(closure.metadata.get("location", "")),
        format_version=int(closure.metadata["format-version"]),
        history=history,
        head=closure.head,
        schema=_schema(closure.metadata),
        refs=closure.refs,
        snapshots=facts,
        files=files,
        immovable=immovable(closure) or colliding_paths(closure),
    )


def uuid_of(closure: TableClosure) -> str:
    """The table's uuid; version 1 tables may have none, then their location stands for it."""
    metadata = closure.metadata
    return str(metadata.get("table-uuid") or metadata.get("location") or closure.pointer)


def _schema(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    """The current schema; version 1 metadata may hold one alone."""
    schemas: list[Mapping[str, Any]] = metadata.get("schemas") or []
    current = metadata.get("current-schema-id")
    found = next((one for one in schemas if one.get("schema-id") == current), None)
    return found or metadata.get("schema") or {}


def _references(files: tuple[StoredFile, ...]) -> References:
    found = {(f.ref.name, f.ref.stored_sha256, f.ref.stored_size) for f in files}
    return References(tuple(sorted(found)))


def _line(
    content: TableContent, ref: ObjectRef, references: ObjectRef, *, skew_ms: int, copied: Copied
) -> PointTable:
    rows = next((s.rows for s in content.snapshots if s.snapshot_id == content.head), None)
    return PointTable(
        table=content.table,
        uuid=content.uuid,
        pointer=content.pointer,
        files=len(content.files),
        bytes=sum(file.ref.size for file in content.files),
        rows=0 if content.head is None else rows,
        snapshots=len(content.snapshots),
        head=content.head,
        content=ref,
        references=references,
        skew_ms=skew_ms,
        copied_bytes=copied.new_bytes,
        copied_files=copied.new_files,
        immovable=content.immovable,
    )
