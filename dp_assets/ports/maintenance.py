"""Maintenance: what is done to tables, and what is known of one before it is done."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from dp_assets.core.errors import PermanentError


class Operation(StrEnum):
    """What keeps a table healthy, in the order in which it is done."""

    EXPIRY = "expiry"
    MANIFESTS = "manifests"
    COMPACTION = "compaction"
    ORPHANS = "orphans"


class Outcome(StrEnum):
    """How an operation on a table ended."""

    DONE = "done"
    NOTHING = "nothing to do"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "outcome unknown"


class MaintenanceRefusedError(PermanentError):
    """An operation cannot be done to a table safely or exactly; nothing was changed."""


@dataclass(frozen=True, slots=True)
class PartitionHealth:
    """The data files of one partition of one spec.

    Attributes:
        partition: its values in words, ``month=2013-01``; "" when the table has none.
        small_files: data files below three quarters of ``target_bytes``.
        target_bytes: what a data file of this partition should have.
        error: mean of (1 - size / target)^2 over its data files; those at the target count 0.
        delete_files: position and equality delete files and vectors in the partition.
        deleted_rows: rows that these name; an upper bound where files overlap.
    """

    spec_id: int
    partition: str
    files: int
    bytes: int
    rows: int
    small_files: int
    target_bytes: int
    error: float
    delete_files: int = 0
    deleted_rows: int = 0


@dataclass(frozen=True, slots=True)
class TableHealth:
    """A table as its metadata says it is, measured at one pointer.

    Attributes:
        at_ms: when it was measured.
        head: the current snapshot; None for a table without one.
        files, bytes, rows: of the data files of the head.
        small_files: below three quarters of their partition's target.
        error: mean of (1 - size / target)^2 over all data files; those at the target count 0.
        size_counts: data files by the power of two of their size in KiB: below 1, below 2, ...
        delete_files, deleted_rows: of the head; rows as delete files say, an upper bound.
        manifests: of the head, those with deletes included; ``manifest_bytes`` are theirs.
        snapshots: kept in the metadata; ``oldest_snapshot_ms`` is the time of the oldest.
        metadata_bytes: of the metadata file.
        old_bytes: data and deletes that only snapshots other than the head hold.
        unheld_bytes: what nothing holds, from the last sweep for orphans; None: never swept.
        skew: bytes of the largest partition over the mean of all; 1 without partitions.
        partitions: the worst first, at most ``PARTITIONS`` of them.
        partition_count: all of them.
    """

    table: str
    uuid: str
    pointer: str
    at_ms: int
    format_version: int
    head: int | None
    files: int
    bytes: int
    rows: int
    small_files: int
    error: float
    size_counts: tuple[int, ...]
    delete_files: int
    deleted_rows: int
    manifests: int
    manifest_bytes: int
    snapshots: int
    oldest_snapshot_ms: int | None
    metadata_bytes: int
    old_bytes: int
    unheld_bytes: int | None
    skew: float
    partitions: tuple[PartitionHealth, ...]
    partition_count: int

    @property
    def small_share(self) -> float:
        """Of its data files, those that are small; 0 to 1."""
        return self.small_files / self.files if self.files else 0.0

    @property
    def delete_ratio(self) -> float:
        """Deleted rows over rows written, as far as metadata tell; 0 to 1."""
        return min(1.0, self.deleted_rows / self.rows) if self.rows else 0.0


PARTITIONS = 20


class Conflict(NamedTuple):
    """A partition whose files somebody else changed while they were compacted.

    Attributes:
        spec_id, partition: as the table's manifests have them.
        words: as people know it; "" for a table without partitions.
    """

    spec_id: int
    partition: str
    words: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation on one table that ended.

    Attributes:
        pointer: the table's metadata file when it ended.
        problem: what failed or was refused, in words.
        before, after: figures by name (files, bytes, rows, snapshots, manifests, delete_files).
        memory_bytes: at its peak, above what the process had before; None when it is not known.
        conflicts: partitions of a compaction of which something was rewritten in vain.
    """

    table: str
    uuid: str
    operation: Operation
    outcome: Outcome
    started_at_ms: int
    finished_at_ms: int
    pointer: str
    run_id: str
    problem: str = ""
    before: Mapping[str, int] | None = None
    after: Mapping[str, int] | None = None
    memory_bytes: int | None = None
    conflicts: tuple[Conflict, ...] = ()
