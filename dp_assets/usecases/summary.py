"""A lakehouse in a few lines: what is in it, what the checks say, how fast it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.domains.benchmarks.results import BENCHMARK_RESULTS
from dp_assets.domains.pipeline import tables
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS

if TYPE_CHECKING:
    from pathlib import Path

    from dp_assets.adapters.duckdb_reader import DuckDbReader
    from dp_assets.lakehouse import Lakehouse

# The newest evaluation of each check counts; a day judged again replaces its older verdict.
CHECKS = """
SELECT "table", count(*) FILTER (passed), count(*) FILTER (NOT passed AND severity = 'WARN'),
  count(*) FILTER (NOT passed AND severity = 'ERROR')
FROM (
  SELECT "table", passed, severity FROM ops.data_quality_results
  QUALIFY row_number() OVER (
    PARTITION BY "table", "partition", "check" ORDER BY check_time DESC
  ) = 1
) GROUP BY ALL
"""
VERDICTS = """
SELECT query, verdict, median_seconds FROM ops.benchmark_results
WHERE measured_at = (SELECT max(measured_at) FROM ops.benchmark_results WHERE complete)
ORDER BY query
"""

Counts = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """What ``dp run`` and ``dp demo`` end with.

    Attributes:
        rows: table -> rows, in the order of the pipeline; tables that exist.
        checks: passed, warned, failed: the newest evaluation of every check and partition.
        benchmarks: query, verdict, median seconds.
        report: the page; None before the first report.
    """

    rows: dict[str, int]
    checks: Counts
    benchmarks: tuple[tuple[str, str, float | None], ...]
    report: Path | None


def summarise(lake: Lakehouse) -> Summary:
    """Read it from the tables as they are now."""
    known = set(lake.tables())
    wanted = [spec.table for spec in tables.ALL if spec.table in known]
    page = lake.settings.reports_dir / "pipeline.html"
    with lake.reader() as reader:
        lake.attach(reader, [*wanted, DATA_QUALITY_RESULTS.table, BENCHMARK_RESULTS.table])
        run = reader.connection.execute
        counts = {str(t): f'SELECT count(*) FROM "{t.namespace}"."{t.name}"' for t in wanted}
        rows = {name: run(sql).fetchall() for name, sql in counts.items()}
        checks = check_counts(reader).values()
        benchmarks = run(VERDICTS).fetchall()
    return Summary(
        rows={name: int(found[0][0]) for name, found in rows.items()},
        checks=(sum(c[0] for c in checks), sum(c[1] for c in checks), sum(c[2] for c in checks)),
        benchmarks=tuple((str(q), str(v), s) for q, v, s in benchmarks),
        report=page if page.exists() else None,
    )


def check_counts(reader: DuckDbReader) -> dict[str, Counts]:
    """Table -> passed, warned, failed; ``reader`` has the view ops.data_quality_results."""
    found = reader.connection.execute(CHECKS).fetchall()
    return {str(table): (int(p), int(w), int(f)) for table, p, w, f in found}
