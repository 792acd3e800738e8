"""The demo's maintenance: what is due, and each table and query before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.domains.pipeline import tables
from dp_assets.ports.maintenance import Operation
from dp_assets.usecases.maintenance.measuring import measure_health
from dp_assets.usecases.maintenance.wanting import wanted
from dp_assets.usecases.summary import summarise
from dp_assets.usecases.table_content import read_content

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.usecases.table_content import Content


@dataclass(frozen=True, slots=True)
class Look:
    """A table at one moment; ``bytes`` are those of its data files."""

    files: int
    bytes: int
    manifests: int
    content: Content


@dataclass(frozen=True, slots=True)
class Maintained:
    """Tables and queries before and after.

    Attributes:
        before, after: by table, those on which something was due.
        slow, fast: median seconds by query, before and after.
    """

    before: Mapping[TableId, Look]
    after: Mapping[TableId, Look]
    slow: Mapping[str, float]
    fast: Mapping[str, float]

    @property
    def is_equal(self) -> bool:
        """Whether every table has the rows that it had."""
        return all(self.before[t].content == self.after[t].content for t in self.before)


def due_of_pipeline(lake: Lakehouse, *, now_ms: int) -> list[tuple[TableId, Operation]]:
    """What is due of the tables that the pipeline writes, the worst first.

    Without orphans: all files of a demo are too young to be one.
    """
    ours = {spec.table for spec in tables.ALL}
    due = wanted(lake, (), None, now_ms=now_ms)
    return [(t, o) for t, o in due if t in ours and o is not Operation.ORPHANS]


def look(lake: Lakehouse, table: TableId, *, now_ms: int) -> Look:
    """The table as it is now, its rows read. Raises LakeError when it cannot be read."""
    health = measure_health(lake, table, now_ms=now_ms)
    return Look(health.files, health.bytes, health.manifests, read_content(lake, table))


def queries(lake: Lakehouse) -> dict[str, float]:
    """Median seconds of each query of the newest complete benchmark; empty before the first."""
    return {query: s for query, _, s in summarise(lake).benchmarks if s is not None}
