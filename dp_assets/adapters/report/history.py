"""What `ops.benchmark_results` says: the newest complete run, and what may be compared with it."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from dp_assets.adapters.report import sql
from dp_assets.ports.report import BenchmarkLine, Benchmarks

RUNS_COMPARED = 20


@dataclass(frozen=True, slots=True)
class BenchmarkRow:
    """One query of one complete run."""

    run_id: str
    measured_at_ms: int
    machine: str
    query: str
    verdict: str
    median_seconds: float | None
    min_seconds: float | None
    max_seconds: float | None
    expected_seconds: float
    repeats: int
    rows: int | None
    error: str | None


def read_benchmarks(connection: duckdb.DuckDBPyConnection) -> Benchmarks:
    """The newest complete run; earlier ones count only when complete and of its machine."""
    interrupted = connection.execute(sql.INTERRUPTED).fetchall()[0][0]
    rows = [BenchmarkRow(*row) for row in connection.execute(sql.BENCHMARKS).fetchall()]
    if not rows:
        return Benchmarks(interrupted=interrupted)
    newest = rows[-1]
    comparable = [r for r in rows if r.machine == newest.machine]
    run = (newest.run_id, newest.measured_at_ms)
    return Benchmarks(
        machine=newest.machine,
        measured_at_ms=newest.measured_at_ms,
        interrupted=interrupted,
        lines=tuple(
            _line(row, comparable) for row in rows if (row.run_id, row.measured_at_ms) == run
        ),
    )


def _line(row: BenchmarkRow, comparable: Sequence[BenchmarkRow]) -> BenchmarkLine:
    medians = [
        r.median_seconds
        for r in comparable
        if r.query == row.query and r.median_seconds is not None
    ]
    return BenchmarkLine(
        query=row.query,
        verdict=row.verdict,
        median_seconds=row.median_seconds,
        min_seconds=row.min_seconds,
        max_seconds=row.max_seconds,
        expected_seconds=row.expected_seconds,
        repeats=row.repeats,
        rows=row.rows,
        error=row.error,
        history_seconds=tuple(medians[-RUNS_COMPARED:]),
    )
