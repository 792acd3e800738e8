"""What an examination of a lakehouse measures, before anything is decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType

from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is written to, and the disk it is on.

    Attributes:
        name: its role, e.g. ``warehouse``.
        exists: when False, the other facts are those of the nearest folder above it.
        refusal: why a durable file could not be made and removed again; empty when it could.
        device: equal for folders of one file system; None where the disk cannot be measured.
    """

    name: str
    path: str
    exists: bool = True
    refusal: str = ""
    device: int | None = None
    free_bytes: int = 0
    total_bytes: int = 0


class DatabaseState(Enum):
    """What a SQLite catalog's file turned out to be."""

    GOOD = auto()
    MISSING = auto()
    UNREADABLE = auto()
    LOCKED = auto()
    READ_ONLY = auto()
    DAMAGED = auto()
    FOREIGN = auto()


@dataclass(frozen=True, slots=True)
class Database:
    """A SQLite catalog's file. ``detail`` names what is wrong, e.g. who holds the lock."""

    path: str
    state: DatabaseState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pin:
    """A distribution that works in one version only; ``found`` is empty when not installed."""

    name: str
    wanted: str
    found: str


@dataclass(frozen=True, slots=True)
class Software:
    """What is installed. ``engine_refusal`` is why DuckDB does not load its extensions."""

    python: tuple[int, int]
    python_from: tuple[int, int]
    python_below: tuple[int, int]
    pins: tuple[Pin, ...]
    engine_refusal: str = ""


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """One metadata file as far as it could be read.

    Attributes:
        problem: why it is useless: missing, empty, cut, not Iceberg's; empty when it reads well.
        is_reachable: False when a refusal or a network kept us from it, which says nothing
            about the file itself.
        table_location: where the table's files are.
        log: the metadata files before this one, as it lists them.
        snapshot_rows: rows after each snapshot by its id; None where its summary is silent.
        list_problem: what is wrong with the manifest list of its current snapshot.
    """

    location: str
    problem: str = ""
    is_reachable: bool = True
    uuid: str = ""
    table_location: str = ""
    head_id: int | None = None
    last_updated_ms: int = 0
    log: tuple[str, ...] = ()
    snapshot_rows: Mapping[int, int | None] = field(
        default_factory=lambda: MappingProxyType[int, int | None]({})
    )
    list_problem: str = ""
    is_adopted: bool = False

    @property
    def is_readable(self) -> bool:
        """Whether the table's metadata is all there."""
        return not self.problem

    @property
    def is_usable(self) -> bool:
        """Whether a pointer to it makes a table whose rows can be found."""
        return not (self.problem or self.list_problem)


@dataclass(frozen=True, slots=True)
class TableReading:
    """One table of the catalog. ``newer`` are metadata files numbered above the pointer's."""

    table: TableId
    pointer: MetadataFile
    newer: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LostSnapshot:
    """A snapshot that only the unreadable metadata named; rows are None when unknown."""

    snapshot_id: int
    added_rows: int | None = None
    deleted_rows: int | None = None


@dataclass(frozen=True, slots=True)
class TemporaryFile:
    """What a killed write left behind, or a running one is about to rename."""

    path: str
    modified_ms: int


@dataclass(frozen=True, slots=True)
class SpooledRows:
    """What waits in the spool for one table; ``damaged`` are files that are no whole batches."""

    table: str
    rows: int
    oldest_ms: int | None
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that has not expired."""

    name: str
    owner: str
    is_owner_gone: bool
    expires_at_ms: int


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of a private key and its permissions, the lower nine bits of its mode."""

    path: str
    mode: int
