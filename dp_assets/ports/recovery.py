"""What a recovery point records; the same words for writing, verifying, restoring and proving.

Paths are spelled as the table's metadata spells them. Sizes are bytes, times Unix epoch
milliseconds, UTC. Hashes are SHA-256, lower-case hex.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FileKind(StrEnum):
    """What a file is to its table."""

    METADATA = "metadata"
    MANIFEST_LIST = "manifest list"
    MANIFEST = "manifest"
    DATA = "data"
    POSITION_DELETES = "position deletes"
    EQUALITY_DELETES = "equality deletes"
    DELETION_VECTORS = "deletion vectors"
    STATISTICS = "statistics"
    PARTITION_STATISTICS = "partition statistics"


class History(StrEnum):
    """Which snapshots a recovery point holds."""

    ALL = "all"
    REFS = "refs"  # heads of branches and tags
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """Content in the repository: its name, and what it must be before and after sealing."""

    name: str
    sha256: str
    size: int
    stored_sha256: str
    stored_size: int


@dataclass(frozen=True, slots=True)
class ReachableFile:
    """A file that a table needs.

    Attributes:
        size: as the format records it; None where it does not (metadata, manifest lists).
        sequence_number: data sequence number; None for files that have none.
        partition: the partition tuple as JSON with raw Avro values, bytes as hex; "" where none.
        records: rows, deletes or positions in it; None where unknown.
        format: ``PARQUET``, ``AVRO``, ``ORC``, ``PUFFIN``; "" for metadata files.
    """

    path: str
    kind: FileKind
    size: int | None = None
    sequence_number: int | None = None
    spec_id: int | None = None
    partition: str = ""
    records: int | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A reachable file and its copy; ``version`` is the source's when it was read."""

    file: ReachableFile
    version: str
    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What one snapshot holds, in terms that survive a move to other paths.

    Attributes:
        data_digest: the set of (content of the data file, sequence number, partition, rows).
        delete_digest: the set of (data file, deleted positions, sequence number) of position
            deletes and deletion vectors; equality deletes by their bytes.
        rows: live rows; None where it takes reading and nobody has read.
        rows_by: ``manifests`` (exact: no deletes apply), ``delete files`` (exact: these were read)
            or the engine that counted.
    """

    snapshot_id: int
    parent_id: int | None
    sequence_number: int
    timestamp_ms: int
    schema_id: int | None
    data_files: int
    delete_files: int
    data_digest: str
    delete_digest: str
    rows: int | None = None
    rows_by: str = ""


@dataclass(frozen=True, slots=True)
class TableContent:
    """One table in a recovery point, whole: enough to rebuild and to prove it.

    Attributes:
        pointer: the metadata file, which is among the files.
        schema: the current schema, Iceberg's JSON.
        refs: name -> Iceberg's JSON of the branch or tag.
        files: everything reachable, the metadata file included; sorted by path.
        immovable: why the table can be restored to its own paths only; "" when it can be moved.
    """

    table: str
    uuid: str
    pointer: str
    location: str
    format_version: int
    history: History
    head: int | None
    schema: Mapping[str, Any]
    refs: Mapping[str, Any]
    snapshots: tuple[SnapshotFacts, ...]
    files: tuple[StoredFile, ...]
    immovable: str = ""


@dataclass(frozen=True, slots=True)
class PointTable:
    """A table's line in a recovery point.

    Attributes:
        content: the :class:`TableContent` document; None when the table could not be copied.
        references: the document that names every object of the table, readable without a key.
        problem: why it is incomplete; "" when it is whole.
        skew_ms: how much later than the cut its state was taken; 0 when exact.
        copied_bytes: what this point added to the repository for it.
        immovable: why it can be restored to its own paths only; "" when it can be moved.
    """

    table: str
    uuid: str
    pointer: str
    files: int
    bytes: int
    rows: int | None
    snapshots: int
    head: int | None
    content: ObjectRef | None
    references: ObjectRef | None
    problem: str = ""
    skew_ms: int = 0
    copied_bytes: int = 0
    copied_files: int = 0
    immovable: str = ""


@dataclass(frozen=True, slots=True)
class DumpFile:
    """One file of a metastore dump; ``path`` is relative to the dump's folder."""

    path: str
    ref: ObjectRef


@dataclass(frozen=True, slots=True)
class MetastoreDump:
    """How the catalog itself can come back.

    Attributes:
        kind: ``sqlite``, ``postgresql`` or ``logical``.
        server_version: of the database; "" where there is none.
        rows: table of the database -> its rows when dumped; what a restored dump must show.
    """

    kind: str
    server_version: str
    taken_at_ms: int
    files: tuple[DumpFile, ...]
    rows: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class PointManifest:
    """A recovery point's private part: what was where, and where it is now.

    Attributes:
        cut: how the pointers were read: ``exact`` or ``repeated reading``.
        skew_ms: time between the first and the last pointer reading.
        namespaces: dotted name -> properties.
        views: dotted name -> Iceberg's JSON of the view.
        settings: ``lakehouse.yaml`` without secrets.
        dagster: Dagster's own storage, by path relative to its home.
    """

    number: int
    lakehouse_id: str
    origin: str
    catalog_address: str
    warehouse: str
    started_at_ms: int
    finished_at_ms: int
    cut: str
    cut_at_ms: int
    skew_ms: int
    history: History
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    tables: tuple[PointTable, ...]
    namespaces: Mapping[str, Mapping[str, str]]
    views: Mapping[str, Any]
    dump: MetastoreDump | None
    settings: ObjectRef | None
    dagster: tuple[DumpFile, ...] = ()
    software: str = ""


@dataclass(frozen=True, slots=True)
class PointRecord:
    """A recovery point's public part: readable without a key, enough to verify and prune by it.

    Attributes:
        complete: every table that was asked for is whole.
        manifest_sha256: of the stored manifest, both copies.
        references: names of the documents that list the objects of the tables.
        objects: further objects it needs: (name, stored SHA-256, stored size).
    """

    number: int
    format: int
    lakehouse_id: str
    created_at_ms: int
    cut_at_ms: int
    complete: bool
    tables: int
    bytes: int
    copied_bytes: int
    seconds: float
    manifest_sha256: str
    manifest_size: int
    references: tuple[str, ...]
    objects: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class References:
    """Every object that one table's content needs, itself left out; no paths, no names."""

    objects: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class ProofRecord:
    """The outcome of one drill, kept beside the point it was about.

    Attributes:
        scope: ``sample`` or ``everything``: which snapshots were read by engines.
        proven: every table compared equal and was read by the engines that can.
        tables: name -> ``proven``, ``proven by one engine``, ``restored, not proven by reading``
            or what differed.
        seconds: from an empty scratch to registered tables: the measured recovery time.
    """

    point: int
    at_ms: int
    scope: str
    proven: bool
    tables: Mapping[str, str]
    seconds: float
    bytes: int
