"""What a compaction's snapshot says of itself.

The totals are counted, not added up from the summary before: a writer that left one out, or said
it wrong, is corrected by the next compaction.

Source: Iceberg table specification, "Optional Snapshot Summary Fields"; iceberg's SnapshotSummary.
"""

from collections.abc import Collection, Iterable, Sequence

from dp_assets.domains.maintenance.heads import Head, Placed, VectorId
from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.compaction import RewrittenGroup, WrittenFile
from dp_assets.ports.live_files import scope
from dp_assets.ports.recovery import FileKind

OPERATION, RUN_ID, COMMIT = "dp.operation", "dp.run-id", "dp.commit"
COMPACTION = "compaction"
REPLACE = "replace"


def replace_summary(
    head: Head,
    groups: Sequence[RewrittenGroup],
    dropped: Sequence[Placed],
    *,
    run_id: str,
    commit: str,
) -> dict[str, str]:
    """Of the commit of ``groups`` on top of ``head``, which takes the deletes ``dropped`` away."""
    gone = {file.path for one in groups for file in one.group.inputs}
    old = [head.data[path].entry for path in sorted(gone)]
    new = [file for one in groups for file in one.written]
    deletes = [placed.entry for placed in dropped]
    partitions = {scope(one.group.spec_id, one.group.partition) for one in groups}
    counts = {
        "added-data-files": len(new),
        "deleted-data-files": len(old),
        "added-records": _rows(new),
        "deleted-records": _rows(old),
        "added-files-size": _sizes(new),
        "removed-files-size": _sizes(old) + _sizes(deletes),
        "changed-partition-count": len(partitions),
        **_removed(deletes),
    }
    kept = _totals(head, gone, {placed.identity for placed in dropped}, new)
    said = {name: str(count) for name, count in counts.items() if count}
    said |= {name: str(count) for name, count in kept.items()}
    ours = {OPERATION: COMPACTION, RUN_ID: run_id, COMMIT: commit}
    return {"operation": REPLACE, **ours, **said}


def _removed(deletes: Collection[LiveEntry]) -> dict[str, int]:
    by_kind = {kind: [d for d in deletes if d.kind is kind] for kind in FileKind}
    positions = by_kind[FileKind.POSITION_DELETES]
    vectors, equality = by_kind[FileKind.DELETION_VECTORS], by_kind[FileKind.EQUALITY_DELETES]
    return {
        "removed-delete-files": len(deletes),
        "removed-position-delete-files": len(positions),
        "removed-dvs": len(vectors),
        "removed-position-deletes": _rows(positions) + _rows(vectors),
        "removed-equality-delete-files": len(equality),
        "removed-equality-deletes": _rows(equality),
    }


def _totals(
    head: Head, gone: Collection[str], dropped: Collection[VectorId], new: Sequence[WrittenFile]
) -> dict[str, int]:
    data = [placed.entry for path, placed in head.data.items() if path not in gone]
    deletes = [placed.entry for placed in head.deletes if placed.identity not in dropped]
    equality = [d for d in deletes if d.kind is FileKind.EQUALITY_DELETES]
    return {
        "total-data-files": len(data) + len(new),
        "total-records": _rows(data) + _rows(new),
        "total-files-size": _sizes(data) + _sizes(new) + _sizes(deletes),
        "total-delete-files": len(deletes),
        "total-position-deletes": _rows(deletes) - _rows(equality),
        "total-equality-deletes": _rows(equality),
    }


def _rows(files: Iterable[LiveEntry | WrittenFile]) -> int:
    return sum(file.records for file in files)


def _sizes(files: Iterable[LiveEntry | WrittenFile]) -> int:
    """In bytes; of a vector its own, because many share a file."""
    return sum(_size(file) for file in files)


def _size(file: LiveEntry | WrittenFile) -> int:
    if isinstance(file, LiveEntry) and file.kind is FileKind.DELETION_VECTORS:
        return file.length
    return file.size
