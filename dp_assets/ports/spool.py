"""Rows on their way to a table: kept on this machine's disk until a commit has them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dp_assets.core.ids import TableId

# What a cell may be; dates and timestamps are ISO 8601 text, decimals are text.
Scalar = str | int | float | bool | None
Row = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one :meth:`Spool.add`; the name is unique for ever and sorts by time."""

    name: str
    path: Path
    rows_count: int


class Spool(ABC):
    """Durable rows, waiting. Many processes may add while one flushes.

    Damaged batches are moved aside with a reason: never lost, never in the way.
    All methods raise OSError as the disk does.
    """

    @abstractmethod
    def add(self, table: TableId, rows: Sequence[Row]) -> None:
        """Keep ``rows`` as one batch, on the disk when this returns; no rows are no batch."""

    @abstractmethod
    def tables(self) -> tuple[TableId, ...]:
        """Tables with batches waiting, by name."""

    @abstractmethod
    def pending(self, table: TableId) -> tuple[Batch, ...]:
        """The whole batches of ``table``, oldest first; damaged ones are moved aside now."""

    @abstractmethod
    def read(self, batches: Sequence[Batch]) -> list[Row]:
        """The rows of ``batches``, in their order."""

    @abstractmethod
    def discard(self, batches: Sequence[Batch]) -> None:
        """Forget ``batches``; one that is gone already is no error."""

    @abstractmethod
    def set_aside(self, batch: Batch, *, reason: str) -> None:
        """Move ``batch`` out of the way, with the reason beside it for a person."""
