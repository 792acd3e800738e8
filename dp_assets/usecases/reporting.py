"""The report of a lakehouse, from its tables and what waits in the spool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.pyiceberg_inventory import list_pointers, read_facts
from dp_assets.adapters.report.collect import collect
from dp_assets.adapters.report.render import ReportFiles, write_report
from dp_assets.core.units import now_ms
from dp_assets.domains.backup.records import RECOVERY_POINTS
from dp_assets.domains.benchmarks.results import BENCHMARK_RESULTS
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.domains.maintenance.journal import JOURNAL
from dp_assets.domains.pipeline import tables
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS
from dp_assets.usecases.reporting_recovery import look_at_recovery

if TYPE_CHECKING:
    from dp_assets.lakehouse import Lakehouse

OPS = (DATA_QUALITY_RESULTS, BENCHMARK_RESULTS, RECOVERY_POINTS, JOURNAL, TABLE_HEALTH)
SHOWN = tuple(spec.table for spec in (*tables.ALL, *OPS))


def write(lake: Lakehouse, *, run_id: str) -> ReportFiles:
    """Collect and write ``pipeline.html``, ``.md`` and ``.json`` under the reports folder."""
    pointers = list_pointers(lake.catalog)
    facts = [read_facts(lake.catalog, table, pointer) for table, pointer in pointers.items()]
    at_ms = now_ms()
    recovery = look_at_recovery(lake.settings, now_ms=at_ms)
    with lake.reader() as reader:
        lake.attach(reader, SHOWN)
        report = collect(
            reader.connection,
            tables=facts,
            generated_at_ms=at_ms,
            environment=lake.settings.environment,
            run_id=run_id,
            lakehouse=lake.settings.catalog.name,
            recovery=recovery,
        )
    return write_report(report, lake.settings.reports_dir)
