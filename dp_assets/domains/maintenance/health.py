"""A table's health, out of its metadata and manifests alone: no data file is opened."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from dp_assets.core.ids import TableId
from dp_assets.core.units import KIB
from dp_assets.domains.maintenance.burden import partition_burden_bytes
from dp_assets.domains.maintenance.partition_words import PartitionWords
from dp_assets.domains.maintenance.sizing import is_small, squared_error, target_bytes
from dp_assets.ports.closure import LiveEntry, ManifestUse, TableClosure, one_spelling
from dp_assets.ports.maintenance import PARTITIONS, PartitionHealth, TableHealth
from dp_assets.ports.recovery import FileKind

_ROWS = (
    FileKind.DATA,
    FileKind.POSITION_DELETES,
    FileKind.EQUALITY_DELETES,
    FileKind.DELETION_VECTORS,
)


@dataclass(slots=True)
class _Files:
    """What one partition of one spec holds."""

    sizes: list[int] = field(default_factory=list[int])
    rows: int = 0
    delete_files: int = 0
    deleted_rows: int = 0

    def add(self, entry: LiveEntry) -> None:
        if entry.kind is FileKind.DATA:
            self.sizes.append(entry.size)
            self.rows += entry.records
        else:
            self.delete_files += 1
            self.deleted_rows += entry.records


def health_of(
    closure: TableClosure,
    *,
    table: TableId,
    at_ms: int,
    metadata_bytes: int,
    target: Callable[[int], int] = target_bytes,
) -> TableHealth:
    """What ``closure`` says of a table; each of its manifests is looked at once.

    Args:
        closure: of every snapshot (``History.ALL``); of fewer, ``old_bytes`` is too low.
        table: its name in the catalog.
        at_ms: when it was read.
        metadata_bytes: of the metadata file.
        target: the size of a data file by that of its partition.
    """
    files, live = _by_partition(closure)
    manifests = {one_spelling(use.path): use.size or 0 for use in _head_uses(closure)}
    partitions = _partitions(files, PartitionWords(closure.metadata), target=target)
    sizes = [size for found in files.values() for size in found.sizes]
    return TableHealth(
        table=str(table),
        uuid=closure.uuid,
        pointer=closure.pointer,
        at_ms=at_ms,
        format_version=closure.format_version,
        head=closure.head,
        files=len(sizes),
        bytes=sum(sizes),
        rows=sum(one.rows for one in partitions),
        small_files=sum(one.small_files for one in partitions),
        error=sum(one.error * one.files for one in partitions) / len(sizes) if sizes else 0.0,
        size_counts=size_counts(sizes),
        delete_files=sum(one.delete_files for one in partitions),
        deleted_rows=sum(one.deleted_rows for one in partitions),
        manifests=len(manifests),
        manifest_bytes=sum(manifests.values()),
        snapshots=len(closure.snapshots),
        oldest_snapshot_ms=min((s.timestamp_ms for s in closure.snapshots), default=None),
        metadata_bytes=metadata_bytes,
        old_bytes=_old_bytes(closure, live),
        unheld_bytes=None,  # nothing that a table names can tell
        skew=_skew([one.bytes for one in partitions if one.files]),
        partitions=tuple(sorted(partitions, key=_worst_first)[:PARTITIONS]),
        partition_count=len(partitions),
    )


def size_counts(sizes_bytes: Iterable[int]) -> tuple[int, ...]:
    """Files below 1 KiB, of 1 KiB to below 2 KiB, to below 4 KiB, ...; up to the largest file."""
    counts: list[int] = []
    for size in sizes_bytes:
        power = (size // KIB).bit_length()
        counts.extend([0] * (power + 1 - len(counts)))
        counts[power] += 1
    return tuple(counts)


def _old_bytes(closure: TableClosure, live: Container[str]) -> int:
    """Data and deletes that the head does not need."""
    rows = (one for one in closure.files if one.kind in _ROWS)
    return sum(one.size or 0 for one in rows if one_spelling(one.path) not in live)


def _head_uses(closure: TableClosure) -> Iterator[ManifestUse]:
    for snapshot in closure.snapshots:
        if snapshot.snapshot_id == closure.head:
            yield from snapshot.manifests


def _by_partition(closure: TableClosure) -> tuple[Mapping[tuple[int, str], _Files], set[str]]:
    """The head's files by spec and partition, and the paths of all of them.

    Nothing that entries inherit is needed here; that keeps it at a few microseconds a file.
    """
    files: defaultdict[tuple[int, str], _Files] = defaultdict(_Files)
    live: set[str] = set()
    for use in _head_uses(closure):
        spec_id = closure.spec_id(use)
        for entry in closure.manifests[one_spelling(use.path)].entries:
            files[spec_id, entry.partition].add(entry)
            live.add(one_spelling(entry.path))
    return files, live


def _partitions(
    files: Mapping[tuple[int, str], _Files],
    words: PartitionWords,
    *,
    target: Callable[[int], int],
) -> list[PartitionHealth]:
    return [
        _partition(words(spec_id, values), spec_id, found, target=target)
        for (spec_id, values), found in files.items()
    ]


def _partition(
    words: str, spec_id: int, found: _Files, *, target: Callable[[int], int]
) -> PartitionHealth:
    count, size = len(found.sizes), sum(found.sizes)
    wanted = target(size)
    return PartitionHealth(
        spec_id=spec_id,
        partition=words,
        files=count,
        bytes=size,
        rows=found.rows,
        small_files=sum(is_small(one, wanted) for one in found.sizes),
        target_bytes=wanted,
        error=sum(squared_error(one, wanted) for one in found.sizes) / count if count else 0.0,
        delete_files=found.delete_files,
        deleted_rows=found.deleted_rows,
    )


def _worst_first(partition: PartitionHealth) -> tuple[int, int, int, str]:
    burden = partition_burden_bytes(partition)
    return -burden, -partition.small_files, -partition.bytes, partition.partition


def _skew(sizes: list[int]) -> float:
    """The largest over the mean."""
    return max(sizes) * len(sizes) / sum(sizes) if sum(sizes) else 1.0
