"""Writing tables: what a table is declared to be, and how its rows are replaced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    import pyarrow as pa
    from pyiceberg.schema import Schema

    from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table as its owner declares it; creating it twice is the same as creating it once.

    Attributes:
        day_column: the date column that daily partitions are replaced by; None for a table that
            is replaced whole. The Iceberg partition spec of a daily table is its month.
        key_columns: what identifies a row.
        writer: asset key (slashes) of the asset that writes it.
    """

    table: TableId
    schema: Schema
    comment: str
    key_columns: tuple[str, ...]
    day_column: str | None = None
    owner: str = "team:lakehouse"
    writer: str = ""
    properties: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class RunMark:
    """Who commits: the first run of a chain of retries, and the run that is acting."""

    root_run_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Written:
    """A replacement that is in the table now; ``repeated`` when it had landed before."""

    snapshot_id: int
    rows: int
    repeated: bool


class TableWriter(ABC):
    """Replaces rows exactly once. One writer per table at a time, by lease."""

    @abstractmethod
    def ensure(self, spec: TableSpec) -> None:
        """Create the namespace and the table where missing.

        Raises PermanentError when the table exists with columns that the spec does not allow.
        """

    @abstractmethod
    def exists(self, table: TableId) -> bool:
        """Whether the catalog has the table."""

    @abstractmethod
    def replace(
        self, spec: TableSpec, rows: pa.Table, *, partition: str | None, run: RunMark
    ) -> Written:
        """Make ``rows`` the whole content of ``partition`` (a day; None: the whole table).

        One commit. A commit of the same root run, partition and rows that already landed is
        recognised by its snapshot summary and not repeated. Raises TransientError when the lease
        or the commit was lost, PermanentError for rows that do not fit the schema.
        """

    @abstractmethod
    def append(self, spec: TableSpec, rows: pa.Table, *, batches: tuple[str, ...]) -> int:
        """Add ``rows`` in one commit that carries the names of ``batches``; the snapshot id."""

    @abstractmethod
    def landed_batches(self, table: TableId) -> frozenset[str]:
        """Names of all batches that kept snapshots of ``table`` say they appended."""

    @abstractmethod
    def hold(self, table: TableId) -> AbstractContextManager[None]:
        """Keep the table's lease over several calls instead of taking it for each."""

    @abstractmethod
    def version(self, table: TableId) -> str:
        """Changes with every commit, also with those that change columns or properties only."""

    @abstractmethod
    def head(self, table: TableId) -> int | None:
        """Current snapshot id; None for a table without commits."""
