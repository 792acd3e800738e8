"""Running the benchmark on a lakehouse and keeping its results, however it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.duckdb_benchmarks import load_queries, machine, measure
from dp_assets.adapters.report.render import write_benchmarks
from dp_assets.core.errors import PermanentError
from dp_assets.core.units import now_ms
from dp_assets.domains.benchmarks.results import BENCHMARK_RESULTS, benchmark_rows
from dp_assets.domains.lake.spool_flush import quietly
from dp_assets.domains.pipeline.graph import REPORT_READS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.benchmarks import BenchmarkResult

NEWEST = """
SELECT query, verdict FROM ops.benchmark_results
WHERE complete AND measured_at = (
  SELECT max(measured_at) FROM ops.benchmark_results WHERE complete
)
ORDER BY query
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One benchmark run for people; ``problems`` are about keeping it, not about the queries."""

    asked: int
    passed: int
    markdown: str
    problems: tuple[str, ...]


def run_and_keep(lake: Lakehouse, *, run_id: str) -> Measured:
    """Measure all queries; what was measured is spooled and written to the JSON file even so."""
    wanted = lake.settings.benchmarks
    queries = load_queries(tuple(wanted.expected_seconds))
    results: list[BenchmarkResult] = []
    problems: list[str | None] = []
    started_ms = now_ms()
    try:
        with lake.reader() as reader:
            lake.attach(reader, REPORT_READS)
            results.extend(
                measure(
                    reader.connection,
                    queries=queries,
                    warmups=wanted.warmups,
                    repeats=wanted.repeats,
                    expected_seconds={str(q): float(s) for q, s in wanted.expected_seconds.items()},
                )
            )
    finally:
        rows = benchmark_rows(
            results,
            asked=len(queries),
            measured_at_ms=started_ms,
            machine=machine(),
            run_id=run_id,
        )
        problems.append(
            quietly("keep benchmark results", lambda: lake.spool.add(BENCHMARK_RESULTS.table, rows))
        )
        problems.append(
            quietly(
                "write benchmarks.json",
                lambda: write_benchmarks(rows, lake.settings.reports_dir),
            )
        )
    return Measured(
        asked=len(queries),
        passed=sum(row["verdict"] == "PASS" for row in rows),
        markdown=_markdown(rows),
        problems=tuple(p for p in problems if p),
    )


def newest_verdicts(lake: Lakehouse) -> dict[str, str]:
    """Query -> verdict of the newest complete run. Raises PermanentError when there is none."""
    with lake.reader() as reader:
        lake.attach(reader, [BENCHMARK_RESULTS.table])
        rows = reader.rows(NEWEST, about=BENCHMARK_RESULTS.table).to_pylist()
    if not rows:
        raise PermanentError("no benchmark run is complete", hint="materialize benchmarks/results")
    return {row["query"]: row["verdict"] for row in rows}


def _markdown(rows: Sequence[Mapping[str, object]]) -> str:
    lines = ["| query | verdict | median s | allowed s |", "|---|---|---:|---:|"]
    for row in rows:
        median = row["median_seconds"]
        shown = f"{median:.3f}" if isinstance(median, float) else "-"
        lines.append(f"| {row['query']} | {row['verdict']} | {shown} | {row['expected_seconds']} |")
    return "\n".join(lines)
