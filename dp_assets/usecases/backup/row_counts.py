"""Rows of snapshots whose manifests cannot say how many there are: deletes apply.

Position deletes and vectors are counted by reading them. Only an engine can tell what equality
deletes delete; for a count it needs hundreds of MB where a table has many files.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Self

from dp_assets.adapters.recovery.live_rows import live_rows
from dp_assets.core.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dp_assets.adapters.duckdb_reader import DuckDbReader
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.closure import KeptSnapshot, TableClosure
    from dp_assets.ports.lake_files import LakeFiles


DUCKDB, DELETE_FILES = "duckdb", "delete files"
Counted = tuple[int, str]  # rows, and what counted them


class RowCounts:
    """Counts; DuckDB is loaded when a table first needs it. Use in a ``with``."""

    def __init__(self, lake: Lakehouse, files: LakeFiles) -> None:
        self._lake = lake
        self._files = files
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

    def of(
        self, table: TableId, closure: TableClosure, snapshots: Sequence[int]
    ) -> dict[int, Counted]:
        """Rows of these snapshots of the closure; what cannot be read is left out.

        A point is worth having without a row count: the drill reads it again anyway.
        """
        found: dict[int, Counted] = {}
        for snapshot in closure.snapshots:
            if snapshot.snapshot_id in snapshots:
                with suppress(LakeError):
                    found[snapshot.snapshot_id] = self._counted(table, closure, snapshot)
        return found

    def _counted(self, table: TableId, closure: TableClosure, snapshot: KeptSnapshot) -> Counted:
        alive = live_rows(closure, self._files, snapshot).values()
        if all(rows.exact for rows in alive):
            return sum(rows.count for rows in alive), DELETE_FILES
        return self._by_duckdb(table, closure.pointer, snapshot.snapshot_id), DUCKDB

    def _by_duckdb(self, table: TableId, pointer: str, snapshot: int) -> int:
        self._pointer = pointer
        if self._reader is None:
            # At the cut's pointer, which the table may have left meanwhile.
            reader = self._lake.reader(pointer=lambda _table: self._pointer)
            self._reader = self._open.enter_context(reader)
        source = self._reader.scan(table, snapshot_id=snapshot)
        rows = self._reader.rows(f"SELECT count(*) AS rows FROM {source}", about=table)  # noqa: S608
        return int(rows["rows"][0].as_py())
