"""What the pipeline needs from an engine: rows that arrive, rows derived, rows as stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import pyarrow as pa

    from dp_assets.core.ids import TableId
    from dp_assets.ports.tables import TableSpec


class PipelineEngine(ABC):
    """Reads the source and the lake, computes; writes nothing."""

    @abstractmethod
    def arriving(self, spec: TableSpec, days: Sequence[date]) -> Mapping[date, pa.Table]:
        """The source's rows of each day; a day without rows has an empty table."""

    @abstractmethod
    def arriving_whole(self, spec: TableSpec) -> pa.Table:
        """All rows of an unpartitioned source table."""

    @abstractmethod
    def derived(
        self, spec: TableSpec, *, inputs: Sequence[TableId], days: Sequence[date]
    ) -> Mapping[date, pa.Table]:
        """The table's transform over ``inputs`` as they are now, for each day."""

    @abstractmethod
    def derived_whole(self, spec: TableSpec, *, inputs: Sequence[TableId]) -> pa.Table:
        """The table's transform over ``inputs`` as they are now, unpartitioned."""

    @abstractmethod
    def stored(self, spec: TableSpec, days: Sequence[date] | None) -> pa.Table:
        """Rows read back from the table as it is now; ``days`` None reads all of it.

        The columns are those of the table as it is, not as it was declared.
        """
