"""Dumps of the catalog itself: what it held at one moment, and whether that can come back.

A dump is a folder (docs/formats/metastore-dump.md). Times are Unix epoch milliseconds, UTC; sizes
bytes; hashes SHA-256, lower-case hex.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from dp_assets.core.ids import TableId

Progress = Callable[[int, int], None]
"""Called with the steps done and their number; both may change on the way."""

EXACT, REPEATED = "exact", "repeated reading"  # how pointers were read


def no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


class MetastoreKind(StrEnum):
    """How a catalog is dumped; each dump comes back through its own kind."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"
    LOGICAL = "logical"


@dataclass(frozen=True, slots=True)
class CatalogState:
    """What one catalog holds.

    Attributes:
        pointers: table -> location of its current metadata file; "" where the catalog has none.
        namespaces: dotted name -> properties, as the catalog keeps them.
        views: dotted name -> Iceberg's JSON of the view; ``{"metadata-location": ...}`` where the
            catalog keeps only that.
    """

    pointers: Mapping[TableId, str]
    namespaces: Mapping[str, Mapping[str, str]]
    views: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class DumpedFile:
    """One file of a dump; ``path`` is relative to the folder, with slashes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Dumped:
    """A finished dump.

    Attributes:
        catalog: the catalog's name: in a SQL catalog's database it selects the rows.
        address: where the catalog was, without credentials.
        server_version: of the database; "" where there is none.
        tool_version: of the program that wrote the dump; "" where this software did.
        taken_at_ms: the moment whose state it holds.
        state: the catalog **as in the dump**: the pointers of an exact cut.
        rows: table of the database -> its rows as in the dump; empty for a logical dump.
        cut: ``exact``, or ``repeated reading`` where the catalog cannot be read at one moment.
        skew_ms: 0 when the pointers were all true at one moment; else how long reading took.
        skewed: the tables that changed between the last two readings.
        files: everything in the folder, ``dump.json`` included.
    """

    kind: MetastoreKind
    catalog: str
    address: str
    server_version: str
    taken_at_ms: int
    state: CatalogState
    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    tool_version: str = ""
    cut: str = EXACT
    skew_ms: int = 0
    skewed: tuple[TableId, ...] = ()
    files: tuple[DumpedFile, ...] = ()

    @property
    def pointers(self) -> Mapping[TableId, str]:
        """Table -> location of its metadata file, as in the dump."""
        return self.state.pointers

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class DumpCheck:
    """What loading a dump into a scratch database showed.

    Attributes:
        problems: every difference and every damage, in words; empty: the dump restores.
        pointers: tables whose pointer was compared.
        rows: rows that were counted in the scratch.
        scratch: where the dump was loaded.
        dump_sha256: of the ``dump.json`` this is about.
    """

    problems: tuple[str, ...]
    pointers: int
    rows: int
    scratch: str
    checked_at_ms: int
    dump_sha256: str

    @property
    def good(self) -> bool:
        """Whether the dump can be counted on."""
        return not self.problems


class Metastore(ABC):
    """The catalog as something to be dumped; writers go on meanwhile.

    Raises TransientError when it is locked or does not answer, PermanentError when it is damaged
    or refuses us, ConfigurationError when a program that is needed is missing or too old.
    """

    kind: MetastoreKind

    @abstractmethod
    def dump(self, into: Path, *, on_progress: Progress = no_progress) -> Dumped:
        """Dump into the folder ``into``, which is made and must have nothing in it.

        ``dump.json`` is written last: a folder without it is an unfinished dump.
        """

    @abstractmethod
    def check(self, folder: Path) -> DumpCheck:
        """Load the dump into a scratch database, compare, and remove the scratch.

        What is wrong with the dump is in the answer; it raises only when it could not find out.
        """
