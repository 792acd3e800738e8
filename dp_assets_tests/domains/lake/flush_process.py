"""A process of its own that spools and flushes, and kills itself where it is told.

Arguments: folder of the lakehouse, kill point. The rows are the numbers 0 to 9 in five batches.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.types import LongType, NestedField

from dp_assets.adapters.lease_owner import is_gone, owner_text
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.adapters.pyiceberg_writer import PyIcebergWriter
from dp_assets.adapters.spool import FolderSpool
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.spool_flush import Flushed, flush
from dp_assets.ports.spool import Batch, Row
from dp_assets.ports.tables import TableSpec

RESULTS = TableId("ops", "results")
SPEC = TableSpec(
    table=RESULTS,
    schema=Schema(NestedField(1, "n", LongType(), True)),
    comment="numbers",
    key_columns=("n",),
)
BATCHES = [[{"n": 2 * i}, {"n": 2 * i + 1}] for i in range(5)]
HALF_ADDED, HALF_DISCARDED = "half-added", "half-discarded"
KILL_POINTS = (HALF_ADDED, "files-written", "metadata-written", "committed", HALF_DISCARDED)


@dataclass(frozen=True)
class Lakehouse:
    """A catalog, and what writes to it and spools for it."""

    catalog: SqlCatalog
    spool: FolderSpool
    writer: PyIcebergWriter


class MortalSpool(FolderSpool):
    """Says when the third batch is on the disk, and when half of a discard is done."""

    reached: Callable[[str], None]
    added = 0

    def add(self, table: TableId, rows: Sequence[Row]) -> None:
        super().add(table, rows)
        self.added += 1
        if self.added == len(BATCHES) // 2 + 1:
            self.reached(HALF_ADDED)

    def discard(self, batches: Sequence[Batch]) -> None:
        half = len(batches) // 2
        super().discard(batches[:half])
        self.reached(HALF_DISCARDED)
        super().discard(batches[half:])


def open_lakehouse(folder: Path, reached: Callable[[str], None]) -> Lakehouse:
    catalog = SqlCatalog("t", uri=f"sqlite:///{folder}/lake.db", warehouse=f"file://{folder}/w")
    leases = SqlLeases(catalog.engine, now_ms=now_ms, sleep=time.sleep, is_gone=is_gone)
    writer = PyIcebergWriter(
        catalog,
        leases,
        owner=owner_text("test"),
        ttl_ms=600_000,
        wait_ms=0,
        now_ms=now_ms,
        failpoint=reached,
    )
    spool = MortalSpool(folder / "spool")
    spool.reached = reached
    return Lakehouse(catalog, spool, writer)


def spool_and_flush(lakehouse: Lakehouse, batches: Sequence[Sequence[Row]]) -> Flushed:
    for rows in batches:
        lakehouse.spool.add(RESULTS, rows)
    return flush(lakehouse.spool, lakehouse.writer, SPEC)


def main(folder: Path, kill_point: str) -> None:
    def reached(point: str) -> None:
        if point == kill_point:
            os.kill(os.getpid(), signal.SIGKILL)

    spool_and_flush(open_lakehouse(folder, reached), BATCHES)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
