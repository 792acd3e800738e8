"""Rows as an engine reads them, for snapshots whose manifests cannot say: deletes apply."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from dp_assets.core.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dp_assets.adapters.duckdb_reader import DuckDbReader
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse


class RowCounts:
    """Counts with DuckDB, which is loaded when a table first needs it; use in a ``with``."""

    def __init__(self, lake: Lakehouse) -> None:
        self._lake = lake
        self._open = ExitStack()
        self._reader: DuckDbReader | None = None
        self._pointer = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def of(self, table: TableId, pointer: str, snapshots: Sequence[int]) -> dict[int, int]:
        """Snapshot -> rows in the table as ``pointer`` says; what cannot be read is left out.

        A point is worth having without a row count: the drill reads it again anyway.
        """
        found: dict[int, int] = {}
        for snapshot in dict.fromkeys(snapshots):
            with suppress(LakeError):
                found[snapshot] = self._count(table, pointer, snapshot)
        return found

    def _count(self, table: TableId, pointer: str, snapshot: int) -> int:
        self._pointer = pointer
        if self._reader is None:
            # At the cut's pointer, which the table may have left meanwhile.
            reader = self._lake.reader(pointer=lambda _table: self._pointer)
            self._reader = self._open.enter_context(reader)
        source = self._reader.scan(table, snapshot_id=snapshot)
        rows = self._reader.rows(f"SELECT count(*) AS rows FROM {source}", about=table)  # noqa: S608
        return int(rows["rows"][0].as_py())
