"""What an inventory knows: facts per table, how long each lived, and all of it as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from dp_assets.core.ids import TableId


class Column(NamedTuple):
    """A top-level column; ``type`` is Iceberg's name, nested types written out.

    A tuple, because 40,000 of them are made whenever the code location loads.
    """

    name: str
    type: str
    required: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table, from its metadata alone. What is None could not be read; see ``problem``.

    Attributes:
        metadata_location: the catalog's pointer; empty when the catalog did not tell.
        rows: as read: records minus position deletes and vectors. Equality deletes are not taken
            off, so with them it is an upper bound.
        files: live data files.
        bytes: live data and delete files together.
        delete_files: live position and equality delete files and deletion vectors.
        last_commit_ms: of the current snapshot; None for a table that never had one.
        owner: property ``dp.owner``, else ``owner``, as it stands there.
        writer: key (slashes) of the asset that writes it; empty for tables of others.
        adopted: ours to change: made by one of our assets, or adopted; else foreign.
        partition_spec: e.g. ``month(flight_date), bucket[16](id)``; empty when unpartitioned.
        problem: why the metadata could not be read; empty when it could.
    """

    table: TableId
    metadata_location: str
    uuid: str = ""
    location: str = ""
    format_version: int | None = None
    rows: int | None = None
    files: int | None = None
    bytes: int | None = None
    delete_files: int | None = None
    snapshots: int | None = None
    last_commit_ms: int | None = None
    head_snapshot_id: int | None = None
    owner: str = ""
    writer: str = ""
    adopted: bool = False
    comment: str = ""
    partition_spec: str = ""
    columns: tuple[Column, ...] = ()
    problem: str = ""

    @property
    def name(self) -> str:
        """``namespace.table``."""
        return str(self.table)

    @property
    def namespace(self) -> str:
        """The namespace alone."""
        return self.table.namespace


@dataclass(frozen=True, slots=True)
class TableLife:
    """A table under one name, from when it was first seen. Drop + create is a new life.

    ``uuid`` is empty until the metadata could be read; ``dropped_at_ms`` is when it was missed,
    None while it is there.
    """

    table: TableId
    uuid: str
    first_seen_ms: int
    last_seen_ms: int
    dropped_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every table of the catalog at ``swept_at_ms``, and every life so far."""

    tables: Mapping[TableId, TableFacts] = field(
        default_factory=lambda: MappingProxyType[TableId, TableFacts]({})
    )
    history: tuple[TableLife, ...] = ()
    swept_at_ms: int | None = None

    @property
    def pointers(self) -> dict[TableId, str]:
        """Where each table's metadata was when it was read."""
        return {table: facts.metadata_location for table, facts in self.tables.items()}
