"""Compaction: what is planned, what is written for it, and what the commit then says of it.

Paths are as the table spells them. Plan, rewrite and commit know each other by these alone, so that
another engine may rewrite.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dp_assets.ports.maintenance import MaintenanceRefusedError
from dp_assets.ports.recovery import FileKind


class CompactionRefusedError(MaintenanceRefusedError):
    """The table, or a group, holds something that is not rewritten exactly; nothing was changed."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A live data file that is to be replaced, as the planned snapshot has it.

    Attributes:
        sequence_number: of its data; 0 in a table of version 1.
        file_sequence_number: of the commit that added it; None where no manifest says it.
        first_row_id: version 3; None where its rows have no ids yet.
        manifest_path: the manifest that lists it.
    """

    path: str
    size: int
    records: int
    sequence_number: int
    file_sequence_number: int | None
    first_row_id: int | None
    manifest_path: str


@dataclass(frozen=True, slots=True)
class DeleteFile:
    """A delete file or vector that may apply to an input, by what the manifests say.

    Attributes:
        format: ``PARQUET``, ``AVRO``, ``ORC``, ``PUFFIN``.
        records: deletes in it; some may be about other files.
        referenced: the one data file that all its deletes are about; "" where not said.
        offset, length: of a deletion vector inside its file.
        equality_ids: field ids that an equality delete compares.
    """

    path: str
    kind: FileKind
    sequence_number: int
    manifest_path: str
    format: str
    size: int
    records: int
    referenced: str = ""
    offset: int = 0
    length: int = 0
    equality_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Data files of one partition of one spec that become as few as possible, in one commit.

    Attributes:
        partition: as :attr:`LiveEntry.partition`; the new files keep the record of the inputs.
        inputs: by sequence number, then path.
        deletes: all that may apply to one of the inputs.
        target_bytes: of a new file.
        reason: why these, in words.
        words: the partition for people, ``month=2013-01``; "" for none.
        deleted: rows that the deletes remove, as the manifests let one guess.
    """

    spec_id: int
    partition: str
    inputs: tuple[InputFile, ...]
    deletes: tuple[DeleteFile, ...]
    target_bytes: int
    reason: str = ""
    words: str = ""
    deleted: int = 0

    @property
    def bytes(self) -> int:
        """Of the inputs."""
        return sum(file.size for file in self.inputs)

    @property
    def records(self) -> int:
        """Of the inputs, deleted ones included."""
        return sum(file.records for file in self.inputs)

    @property
    def expected_bytes(self) -> int:
        """Of the new files, if they compress as the inputs do."""
        live = max(0, self.records - self.deleted)
        return self.bytes * live // self.records if self.records else 0

    @property
    def outputs(self) -> int:
        """New files to aim at; each is then between 0.875 and 1.75 times the target, or the one."""
        return max(1, (4 * self.expected_bytes + self.target_bytes) // (4 * self.target_bytes))


@dataclass(frozen=True, slots=True)
class CompactionPlan:
    """What to rewrite of a table, seen at one snapshot.

    Attributes:
        pointer: the metadata file that the plan was made from.
        snapshot_id, sequence_number: of its head.
        schema_id: the current one, which the new files are written with.
        groups: the worst first; each may be committed without the others.
        left: what is not compacted although it could be better, each with the reason.
    """

    table: str
    uuid: str
    pointer: str
    snapshot_id: int
    sequence_number: int
    format_version: int
    schema_id: int
    groups: tuple[Group, ...]
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileStatistics:
    """What a manifest says of the columns of a data file, by field id of the leaf.

    Attributes:
        lower, upper: bounds as the specification's single-value serialization.
    """

    column_sizes: Mapping[int, int] = field(default_factory=dict[int, int])
    value_counts: Mapping[int, int] = field(default_factory=dict[int, int])
    null_counts: Mapping[int, int] = field(default_factory=dict[int, int])
    nan_counts: Mapping[int, int] = field(default_factory=dict[int, int])
    lower: Mapping[int, bytes] = field(default_factory=dict[int, bytes])
    upper: Mapping[int, bytes] = field(default_factory=dict[int, bytes])


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A new Parquet file, durable, and named by nothing yet.

    Attributes:
        sort_order_id: what its rows are sorted by; 0: nothing.
    """

    path: str
    size: int
    records: int
    statistics: FileStatistics
    split_offsets: tuple[int, ...]
    sort_order_id: int = 0


@dataclass(frozen=True, slots=True)
class RewrittenGroup:
    """A group and what replaces it; nothing when all its rows were deleted."""

    group: Group
    written: tuple[WrittenFile, ...]
