"""``python -m benchmarks.compaction_side WHAT TABLE``: one compaction of a made table.

Prints its seconds without interpreter, imports and the opening of the lakehouse.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyiceberg.io import load_file_io

from benchmarks.made_lineitem import NAMESPACE, table_files
from benchmarks.measure import say
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.duckdb_rewrite import rewriter
from dp_assets.adapters.maintenance.group_rewriting import RewriteSettings
from dp_assets.core.ids import TableId
from dp_assets.core.units import MIB
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.domains.maintenance.row_group_rule import TAKE_OVER
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.row_groups import RowGroupRule
from dp_assets.usecases.maintenance.compacting import (
    DUCKDB_SHARE,
    THREADS,
    compact,
    planned_compaction,
)

MEMORY_BYTES = 400 * MIB
RULE = CompactionRule(min_inputs=2)
_SAID: dict[str, float] = {}  # what else a side measures
Side = Callable[[Lakehouse, TableId], Sequence[str]]
# Like TPC-H's queries 1 and 6, which read seven and four columns.
AGGREGATES = (
    "SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice), "
    "sum(l_extendedprice * (1 - l_discount)), avg(l_tax), count(*) FROM read_parquet({files}) "
    "WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL",
    "SELECT sum(l_extendedprice * l_discount) FROM read_parquet({files}) WHERE l_shipdate >= "
    "DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07 "
    "AND l_quantity < 24",
)


def copy(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """A bare COPY of the list of files, as anybody would write it."""
    target = f"{_state()}/copy.parquet"
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        connection.execute(
            f"COPY (FROM read_parquet({_inputs(lake, table)})) TO '{target}' "
            "(FORMAT parquet, COMPRESSION zstd)"
        )
    return [target]


def writer(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """PyArrow reads batches of all files, and writes one."""
    dataset = ds.dataset(_inputs(lake, table), format="parquet")
    target = f"{_state()}/writer.parquet"
    with pq.ParquetWriter(target, dataset.schema, compression="zstd") as out:
        for batch in dataset.to_batches():
            out.write_batch(batch)
    return [target]


def rewrite(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """Our planning and rewrite, measured and synced: nothing is proven or committed."""
    return _rewrite(lake, table, take_over=None)


def row_groups(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """The same by row groups, where that is allowed."""
    return _rewrite(lake, table, take_over=TAKE_OVER)


def unproven(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """Everything but the proof of the content before the commit."""
    return _compact(lake, table, is_proven=False)


def proven(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """Everything, as a run of maintenance does it."""
    return _compact(lake, table, is_proven=True)


def overwrite(lake: Lakehouse, table: TableId) -> Sequence[str]:
    """PyIceberg's own: every row again, deleted and appended."""
    loaded = lake.catalog.load_table((table.namespace, table.name))
    loaded.overwrite(loaded.scan().to_arrow())
    return []


SIDES: Mapping[str, Side] = {
    one.__name__: one for one in (copy, writer, rewrite, row_groups, unproven, proven, overwrite)
}


def main(what: str, name: str, *then: str) -> None:
    """Run it and say how long it took; with ``aggregate`` how long queries of the result take."""
    with opened() as lake:
        began = time.perf_counter()
        written = SIDES[what](lake, TableId(NAMESPACE, name))
        figures = {"work": time.perf_counter() - began, "files": len(written), **_SAID}
    if then:
        figures["aggregate"] = _aggregates(written)
    say(**figures)


def _aggregates(files: Sequence[str]) -> float:
    """Seconds of both queries, the best of three: the first one warms up."""
    with duckdb.connect(config={"threads": str(THREADS)}) as connection:
        return sum(min(_query(connection, one, files) for _ in range(3)) for one in AGGREGATES)


def _query(connection: duckdb.DuckDBPyConnection, query: str, files: Sequence[str]) -> float:
    began = time.perf_counter()
    connection.execute(query.format(files=list(files))).fetchall()
    return time.perf_counter() - began


def _compact(lake: Lakehouse, table: TableId, *, is_proven: bool) -> Sequence[str]:
    planned = planned_compaction(lake, table, RULE)
    done = compact(
        lake,
        planned,
        memory_bytes=MEMORY_BYTES,
        run_id="benchmark",
        on_group=lambda _: None,
        is_proven=is_proven,
    )
    if not done.groups:
        raise SystemExit("nothing was compacted")
    return [file.path for group in done.groups for file in group.written]


def _rewrite(lake: Lakehouse, table: TableId, *, take_over: RowGroupRule | None) -> Sequence[str]:
    planned = planned_compaction(lake, table, RULE)
    settings = RewriteSettings(
        memory_limit=f"{round(MEMORY_BYTES * DUCKDB_SHARE / MIB)}MiB",
        threads=THREADS,
        staging=_state() / "staging",
        take_over=take_over,
        is_proven=False,
    )
    plan, closure = planned.plan, planned.closure
    io = load_file_io(lake.catalog.properties, closure.location)
    began = time.perf_counter()
    with rewriter(plan, closure, files=lake.files, io=io, settings=settings) as work:
        done = [work.rewrite(group) for group in plan.groups]
    _SAID["rewrite"] = time.perf_counter() - began
    return [file.path.removeprefix("file://") for one in done for file in one.written]


def _inputs(lake: Lakehouse, table: TableId) -> list[str]:
    root = local_path(lake.settings.warehouse.root)
    if root is None:
        raise SystemExit("the warehouse is not on a local disk")
    return [str(path) for path in table_files(root / NAMESPACE / table.name)]


def _state() -> Path:
    """What is written beside the table goes here."""
    return Path(os.environ["DP_STATE"])


if __name__ == "__main__":
    main(*sys.argv[1:])
