"""`ops.benchmark_results`: one row per query and run, and how a result becomes one."""

from collections.abc import Sequence

from pyiceberg.types import (
    BooleanType,
    DoubleType,
    LongType,
    StringType,
    TimestamptzType,
)

from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc_ms
from dp_assets.domains.benchmarks.verdict import judge
from dp_assets.domains.lake.ops_tables import Column, ops_schema
from dp_assets.ports.benchmarks import BenchmarkResult
from dp_assets.ports.tables import TableSpec

Cell = str | int | float | bool | None

_COLUMNS: Sequence[Column] = (
    ("measured_at", TimestamptzType(), True, "When the run of all queries began, UTC."),
    ("query", StringType(), True, "Name of the query."),
    ("verdict", StringType(), True, "PASS, SLOW (up to twice what is expected) or FAIL."),
    ("median_seconds", DoubleType(), False, "Median of the repeats; null when it raised."),
    ("min_seconds", DoubleType(), False, "Fastest repeat; null when it raised."),
    ("max_seconds", DoubleType(), False, "Slowest repeat; null when it raised."),
    ("expected_seconds", DoubleType(), True, "What the settings expected at that time."),
    ("repeats", LongType(), True, "Timed repeats, warm-up not counted."),
    ("rows", LongType(), False, "Rows the query returned; null when it raised."),
    ("error", StringType(), False, "What the engine said when the query raised."),
    ("machine", StringType(), True, "Where it ran; only rows of one machine are compared."),
    ("run_id", StringType(), True, "Dagster run."),
    ("complete", BooleanType(), True, "False: the run was interrupted; never compared."),
)

BENCHMARK_RESULTS = TableSpec(
    table=TableId("ops", "benchmark_results"),
    schema=ops_schema(_COLUMNS),
    comment="Timed queries on the finished tables: one row per query and run.",
    key_columns=("run_id", "query"),
    writer="ops/facts",
)


def benchmark_rows(
    results: Sequence[BenchmarkResult],
    *,
    asked: int,
    measured_at_ms: int,
    machine: str,
    run_id: str,
) -> list[dict[str, Cell]]:
    """The rows of one run, ready to be JSON lines.

    Args:
        results: what was measured, all of it or what an interruption left.
        asked: how many queries the run set out to measure; fewer results make every row of the
            run incomplete, so that none of them is compared later.
        measured_at_ms: Unix epoch, UTC, milliseconds.
        machine: what only equal machines share, e.g. ``Linux x86_64, 2 cores``.
        run_id: of the Dagster run.
    """
    complete = len(results) == asked
    measured_at = iso_utc_ms(measured_at_ms)
    return [
        {
            "measured_at": measured_at,
            "query": result.query,
            "verdict": judge(result).value,
            "median_seconds": result.median_seconds,
            "min_seconds": result.min_seconds,
            "max_seconds": result.max_seconds,
            "expected_seconds": result.expected_seconds,
            "repeats": len(result.seconds),
            "rows": result.rows,
            "error": result.error,
            "machine": machine,
            "run_id": run_id,
            "complete": complete,
        }
        for result in results
    ]
