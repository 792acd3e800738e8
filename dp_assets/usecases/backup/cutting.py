"""The tables of a recovery point: all as they were at one moment, or by name as they were later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_pointer import read_pointer
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.cut import MAX_RESTARTS, after_pass
from dp_assets.domains.backup.selection import require_any
from dp_assets.usecases.backup.previous_lines import doubted, reusable
from dp_assets.usecases.backup.table_taking import Vanished, incomplete
from dp_assets.usecases.dumping import metastore_of

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.metastore import Dumped
    from dp_assets.ports.recovery import PointManifest, PointTable
    from dp_assets.usecases.backup.backup_parts import Parts
    from dp_assets.usecases.backup.table_taking import TableTaker


@dataclass(frozen=True, slots=True)
class CutTables:
    """The outcome; ``folder`` holds the dump that the pointers come from."""

    dumped: Dumped
    folder: Path
    lines: tuple[PointTable, ...]
    taken_over: int
    restarts: int


class Cutting:
    """Takes the cut, then every table of it.

    Args:
        previous: what is taken over where nothing changed.
        scratch: a folder for the dumps.
    """

    def __init__(
        self,
        lake: Lakehouse,
        parts: Parts,
        taker: TableTaker,
        *,
        previous: PointManifest | None,
        scratch: Path,
    ) -> None:
        self._lake = lake
        self._parts = parts
        self._taker = taker
        self._previous = previous
        self._doubted = doubted(previous)
        self._scratch = scratch
        self._lines: dict[TableId, PointTable] = {}
        self._unchanged: set[TableId] = set()
        self._restarts = 0

    def run(self) -> CutTables:
        """Raises ConfigurationError when no table is selected, LakeError as the backup does."""
        dumped = self._dump()
        while True:
            vanished = self._pass(dumped)
            judged = after_pass(
                {table: found.pointer for table, found in vanished.items()},
                {table: read_pointer(self._lake.catalog, table) for table in vanished},
                restarts=self._restarts,
            )
            for table in judged.damaged:
                found = vanished[table]
                self._lines[table] = incomplete(table, found.pointer, found.what)
            if not judged.restart:
                break
            self._restarts += 1
            dumped = self._dump()
        for table in judged.moved:
            self._take_alone(table, dumped)
        return CutTables(
            dumped=dumped,
            folder=self._folder,
            lines=tuple(self._lines[table] for table in sorted(self._lines)),
            taken_over=len(self._unchanged & self._lines.keys()),
            restarts=self._restarts,
        )

    @property
    def _folder(self) -> Path:
        return self._scratch / f"cut-{self._restarts}"

    def _dump(self) -> Dumped:
        self._parts.progress.phase("metastore")
        return metastore_of(self._lake).dump(self._folder)

    def _pass(self, dumped: Dumped) -> dict[TableId, Vanished]:
        """Take every table that is not taken yet as the cut has it; those that missed a file."""
        selected = require_any(self._parts.wanted.selection, dumped.pointers)
        self._lines = {
            table: line
            for table, line in self._lines.items()
            if dumped.pointers.get(table) == line.pointer
        }
        wanted = {t: dumped.pointers[t] for t in selected if t not in self._lines}
        unchanged = self._taker.unchanged(
            reusable(self._previous, wanted, history=self._parts.wanted.history)
        )
        vanished: dict[TableId, Vanished] = {}
        for table, pointer in wanted.items():
            if line := unchanged.get(str(table)):
                self._parts.heartbeat.require()
                self._lines[table] = line
                self._unchanged.add(table)
                continue
            self._unchanged.discard(table)
            skew_ms = dumped.skew_ms if table in dumped.skewed else 0
            found = self._take(table, pointer, skew_ms=skew_ms)
            if isinstance(found, Vanished):
                vanished[table] = found
        return vanished

    def _take(self, table: TableId, pointer: str, *, skew_ms: int) -> PointTable | Vanished:
        self._parts.heartbeat.check_sometimes()
        doubt = self._doubted.get(str(table))
        found = self._taker.take(table, pointer, skew_ms=skew_ms, read_all=doubt is not None)
        if isinstance(found, Vanished):
            return found
        if doubt and found.problem and not found.content:
            # What was right once stays in the repository until somebody has decided.
            found = replace(doubt, problem=found.problem, copied_files=0, copied_bytes=0)
        self._lines[table] = found
        return found

    def _take_alone(self, table: TableId, dumped: Dumped) -> None:
        """The table as it is by now: later than the cut, and its line says how much."""
        seen = ""
        for _ in range(MAX_RESTARTS):
            pointer = read_pointer(self._lake.catalog, table)
            if pointer is None:
                return  # dropped
            late_ms = max(now_ms() - dumped.taken_at_ms, 1)
            found = self._take(table, pointer, skew_ms=late_ms)
            if not isinstance(found, Vanished):
                return
            if pointer == seen:
                break
            seen = pointer
        self._lines[table] = incomplete(table, seen, "its files vanish faster than they are copied")
