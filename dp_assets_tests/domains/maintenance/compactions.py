"""A table of a few files, one group of a plan, and its head, for decisions about commits."""

from collections.abc import Iterable

from dp_assets.domains.maintenance.heads import Head, Placed
from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.compaction import (
    CompactionPlan,
    DeleteFile,
    FileStatistics,
    Group,
    InputFile,
    RewrittenGroup,
    WrittenFile,
)
from dp_assets.ports.live_files import scope
from dp_assets.ports.recovery import FileKind

PART = '{"part":"a"}'
OTHER = '{"part":"b"}'
PLANNED = 5


def data(path: str, *, number: int = 3, partition: str = PART, spec: int = 0, **more) -> Placed:
    """A data file of ten rows and 100 bytes."""
    return _placed(path, FileKind.DATA, number=number, partition=partition, spec=spec, **more)


def positions(
    path: str, *, number: int = 6, partition: str = PART, spec: int = 0, **more
) -> Placed:
    kind = FileKind.POSITION_DELETES
    return _placed(path, kind, number=number, partition=partition, spec=spec, **more)


def equality(path: str, *, number: int = 6, partition: str = PART, spec: int = 0) -> Placed:
    kind = FileKind.EQUALITY_DELETES
    return _placed(path, kind, number=number, partition=partition, spec=spec)


def vector(path: str, referenced: str, *, number: int = 4, offset: int = 4) -> Placed:
    kind = FileKind.DELETION_VECTORS
    more = {"referenced": referenced, "offset": offset, "length": 40}
    return _placed(path, kind, number=number, partition=PART, spec=0, **more)


def _placed(path: str, kind: FileKind, *, number: int, partition: str, spec: int, **more) -> Placed:
    entry = LiveEntry(
        path=path,
        kind=kind,
        format="PUFFIN" if kind is FileKind.DELETION_VECTORS else "PARQUET",
        size=100,
        records=10,
        partition=partition,
        added=False,
        sequence_number=number,
        file_sequence_number=number,
        **more,
    )
    return Placed(entry, scope(spec, partition))


def head(*live: Placed, **more) -> Head:
    """At snapshot 9, over 5, the planned one; spec 1 has no partition."""
    given = {"uuid": "u", "format_version": 2, "ancestors": frozenset({9, 5, 1}), **more}
    return Head(
        snapshot_id=9,
        specs=frozenset({0, 1}),
        global_specs=frozenset({1}),
        data={p.entry.path: p for p in live if p.entry.kind is FileKind.DATA},
        deletes=tuple(p for p in live if p.entry.kind is not FileKind.DATA),
        **given,
    )


def group(*files: Placed, deletes: Iterable[Placed] = (), spec: int = 0) -> Group:
    """Of files as they were when it was planned."""
    return Group(
        spec_id=spec,
        partition=files[0].entry.partition,
        inputs=tuple(_input(placed.entry) for placed in files),
        deletes=tuple(_delete(placed.entry) for placed in deletes),
        target_bytes=1000,
    )


def rewritten(planned: Group, *paths: str) -> RewrittenGroup:
    """With new files of eight rows and 50 bytes."""
    files = (WrittenFile(path, 50, 8, FileStatistics(), (4,)) for path in paths)
    return RewrittenGroup(planned, tuple(files))


def plan(*groups: Group, version: int = 2) -> CompactionPlan:
    return CompactionPlan("raw.t", "u", "/p", 5, PLANNED, version, 0, groups)


def _input(e: LiveEntry) -> InputFile:
    number = e.sequence_number or 0
    return InputFile(e.path, e.size, e.records, number, e.file_sequence_number, e.first_row_id, "")


def _delete(e: LiveEntry) -> DeleteFile:
    return DeleteFile(
        path=e.path,
        kind=e.kind,
        sequence_number=e.sequence_number or 0,
        manifest_path="",
        format=e.format,
        size=e.size,
        records=e.records,
        referenced=e.referenced,
        offset=e.offset,
        length=e.length,
    )
