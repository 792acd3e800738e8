"""A spool in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dp_assets.core.ids import TableId
from dp_assets.ports.spool import Batch, Row, Spool


@dataclass
class MemorySpool(Spool):
    """Batches are numbered from one; what was set aside is in ``aside``, by name."""

    waiting: dict[TableId, dict[str, list[Row]]] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    added: int = 0

    def add(self, table: TableId, rows: Sequence[Row]) -> None:
        if rows:
            self.added += 1
            self.waiting.setdefault(table, {})[f"{self.added:04d}"] = list(rows)

    def tables(self) -> tuple[TableId, ...]:
        return tuple(sorted(table for table, batches in self.waiting.items() if batches))

    def pending(self, table: TableId) -> tuple[Batch, ...]:
        batches = self.waiting.get(table, {})
        return tuple(Batch(name, Path(name), len(rows)) for name, rows in sorted(batches.items()))

    def read(self, batches: Sequence[Batch]) -> list[Row]:
        known = {name: rows for named in self.waiting.values() for name, rows in named.items()}
        return [row for batch in batches for row in known[batch.name]]

    def discard(self, batches: Sequence[Batch]) -> None:
        for named in self.waiting.values():
            for batch in batches:
                named.pop(batch.name, None)

    def set_aside(self, batch: Batch, *, reason: str) -> None:
        self.discard([batch])
        self.aside[batch.name] = reason
