"""Judgements on their way to ``ops.data_quality_results``: spooled here, failed ones too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.core.units import now_ms
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS, result_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dagster as dg

    from dp_assets.domains.quality.verdict import Verdict
    from dp_assets.lakehouse import Lakehouse


def spool_verdicts(
    context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext,
    lake: Lakehouse,
    verdicts: Iterable[Verdict],
) -> None:
    """Keep the rows on this machine until a flush commits them; never fails the step."""
    # Imported here: it brings pyarrow and numpy, which loading the code location must not pay for.
    from dp_assets.domains.lake.spool_flush import quietly

    checked_at_ms = now_ms()
    rows = [
        row
        for verdict in verdicts
        for row in result_rows(verdict, run_id=context.run.run_id, checked_at_ms=checked_at_ms)
    ]
    problem = quietly(
        "keep quality results", lambda: lake.spool.add(DATA_QUALITY_RESULTS.table, rows)
    )
    if problem:
        context.log.warning(problem)
