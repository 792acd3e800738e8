"""What a step tells Dagster: one materialization and one check evaluation per day.

A range of days in one run cannot use Dagster's own events: it would record every day of the range
as materialized and every check once, without a partition. The jobs here therefore carry the run tag
``dagster/defer_asset_events`` and the step logs its own (docs/adr/0002).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from dp_assets import keys
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.quality.results import describe, verdict_table
from dp_assets.domains.quality.verdict import Severity, Verdict
from dp_assets.orchestration.declaring import column_lineage
from dp_assets.orchestration.made import RANGE_END, RANGE_START
from dp_assets.ports.tables import RunMark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dp_assets.domains.pipeline.daily import DaysResult
    from dp_assets.ports.tables import Written

DEFERRED = "dagster/defer_asset_events"
CONTRACT = "contract"


def run_mark(run: dg.DagsterRun) -> RunMark:
    """Who commits: retries of a run share its root."""
    return RunMark(root_run_id=run.root_run_id or run.run_id, run_id=run.run_id)


def asked_days(context: dg.AssetExecutionContext) -> Sequence[str]:
    """The days this run is about. Raises ConfigurationError for one that is no partition."""
    ends = [tag for key, tag in context.run.tags.items() if key in (RANGE_START, RANGE_END)]
    for day in ends:
        if not keys.DAYS.has_partition_key(day):
            raise ConfigurationError(
                f"{day} is none of the days from {keys.FIRST_DAY} until before {keys.END_DAY}",
                hint="ask for days of that year; nothing was changed",
            )
    return context.partition_keys


def is_deferred(run: dg.DagsterRun) -> bool:
    """Whether this run's steps log their own asset events."""
    return run.tags.get(DEFERRED) == "true"


def record_days(context: dg.AssetExecutionContext, result: DaysResult) -> dg.MaterializeResult:
    """Record exactly the days that were written, each with its verdict."""
    if is_deferred(context.run):
        for day, written in result.written.items():
            metadata = _day_metadata(context.asset_key, written)
            context.log_event(
                dg.AssetMaterialization(context.asset_key, partition=day, metadata=metadata)
            )
            log_verdict(context, result.verdicts[day])
        for day, reason in result.left_out.items():
            context.log.warning("%s left out: %s", day, reason)
        return dg.MaterializeResult()
    for day, reason in result.left_out.items():
        raise dg.Failure(
            description=f"{day} of {context.asset_key.to_user_string()} was left out: {reason}\n"
            "hint: mend the day upstream, then materialize this again",
            allow_retries=False,
        )
    [written] = result.written.values()
    return dg.MaterializeResult(metadata=_day_metadata(context.asset_key, written))


def record_whole(
    context: dg.AssetExecutionContext,
    written: Written,
    found: Mapping[str, dg.MetadataValue] | None = None,
) -> dg.MaterializeResult:
    """Record an unpartitioned table, with what its rows say in short."""
    metadata = {
        "dagster/row_count": dg.MetadataValue.int(written.rows),
        **_written_metadata(context.asset_key, written),
        **(found or {}),
    }
    if is_deferred(context.run):
        context.log_event(dg.AssetMaterialization(context.asset_key, metadata=metadata))
    return dg.MaterializeResult(metadata=metadata)


def log_verdict(context: dg.AssetExecutionContext, verdict: Verdict) -> None:
    """The evaluation of one day's contract, on that day's partition."""
    evaluation = dg.AssetCheckEvaluation(
        asset_key=context.asset_key,
        check_name=CONTRACT,
        passed=not (verdict.refused or verdict.warned),
        partition=verdict.partition,
        severity=_severity(verdict),
        description=describe(verdict),
        metadata=_verdict_metadata(verdict),
        blocking=True,
    )
    # Dagster stores it as the event it is; the annotation of log_event leaves it out.
    context.log_event(evaluation)  # pyright: ignore[reportArgumentType]


def check_result(verdict: Verdict) -> dg.AssetCheckResult:
    """The same as :func:`log_verdict`, as the result of a check."""
    return dg.AssetCheckResult(
        passed=not (verdict.refused or verdict.warned),
        severity=_severity(verdict),
        description=describe(verdict),
        metadata=_verdict_metadata(verdict),
    )


def _severity(verdict: Verdict) -> dg.AssetCheckSeverity:
    warned_only = verdict.warned and not verdict.refused
    severity = Severity.WARN if warned_only else Severity.ERROR
    return dg.AssetCheckSeverity[severity.value]


def _day_metadata(key: dg.AssetKey, written: Written) -> Mapping[str, dg.MetadataValue]:
    rows = dg.MetadataValue.int(written.rows)
    return {"dagster/partition_row_count": rows, **_written_metadata(key, written)}


def _written_metadata(key: dg.AssetKey, written: Written) -> Mapping[str, dg.MetadataValue]:
    """The snapshot is text: as a number the browser would round it."""
    return {
        "snapshot_id": dg.MetadataValue.text(str(written.snapshot_id)),
        "landed_before": dg.MetadataValue.bool(written.repeated),
        **column_lineage(TableId(*key.path)),
    }


def _verdict_metadata(verdict: Verdict) -> Mapping[str, dg.MetadataValue]:
    """The failing checks with their rows; the whole list is in ``ops.data_quality_results``."""
    outcomes = verdict.outcomes
    found = [row for row in verdict_table(verdict) if row["result"] != "passed"]
    metadata: dict[str, dg.MetadataValue] = {
        "snapshot_id": dg.MetadataValue.text(str(verdict.snapshot_id)),
        "checks": dg.MetadataValue.int(len(outcomes)),
        "warned": dg.MetadataValue.int(sum(not o.passed and not o.refuses for o in outcomes)),
        "refused": dg.MetadataValue.int(sum(o.refuses for o in outcomes)),
    }
    if found:
        metadata["findings"] = dg.MetadataValue.table(
            [dg.TableRecord({k: _cell(v) for k, v in row.items()}) for row in found]
        )
        metadata["failing_rows"] = dg.MetadataValue.json(
            {o.check: [dict(i) for i in o.issues] for o in outcomes if not o.passed}
        )
    return metadata


def _cell(value: object) -> str | int | float | bool | None:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
