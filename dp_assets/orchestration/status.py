"""The state of every asset: last made, last checked, due, late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets import keys
from dp_assets.core.units import HOUR_MS, iso_utc
from dp_assets.definitions import defs
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS
from dp_assets.lakehouse import opened
from dp_assets.orchestration.made import due_days
from dp_assets.orchestration.planning import report_is_due
from dp_assets.orchestration.running import dagster_instance
from dp_assets.usecases.summary import Counts, check_counts

if TYPE_CHECKING:
    import dagster as dg

    from dp_assets.settings import Settings

# Two periods of the shipped schedules: one may be missed by a restart, two mean it stands still.
LATE_AFTER_MS = {"days": 12 * HOUR_MS, "report": 48 * HOUR_MS}


@dataclass(frozen=True, slots=True)
class AssetStatus:
    """One asset for one line of a table; ``of`` is 0 for an unpartitioned asset."""

    key: str
    last_made: str | None
    made: int
    of: int
    checks: str
    refused: bool
    state: str


@dataclass(frozen=True, slots=True)
class Status:
    """Everything, and in one sentence what is due."""

    assets: tuple[AssetStatus, ...]
    due: str


def read_status(settings: Settings, *, now_ms: int) -> Status:
    """From Dagster's record and the lake's own quality results."""
    counts = _check_counts(settings)
    with dagster_instance(settings) as instance:
        plan = due_days(instance, keys.DAYS.get_partition_keys())
        report = report_is_due(instance)
        late = _late(instance, settings, due=bool(plan.ingest), report=report, now_ms=now_ms)
        graph = defs().resolve_asset_graph()
        assets = [
            _asset(instance, key, counts.get(".".join(key.path)), late=late, graph=graph)
            for key in sorted(graph.materializable_asset_keys)
        ]
    words = [f"{len(plan.ingest)} days", f"features of {len(plan.features)} days"]
    return Status(tuple(assets), ", ".join(words + (["the report"] if report else [])))


def _asset(
    instance: dg.DagsterInstance,
    key: dg.AssetKey,
    counts: Counts | None,
    *,
    late: frozenset[str],
    graph: dg.AssetGraph,
) -> AssetStatus:
    event = instance.get_latest_materialization_event(key)
    partitions = graph.get(key).partitions_def
    made = len(instance.get_materialized_partitions(key)) if partitions else 0
    passed, warned, failed = counts or (0, 0, 0)
    return AssetStatus(
        key=key.to_user_string(),
        last_made=iso_utc(int(event.timestamp * 1000)) if event else None,
        made=made,
        of=len(partitions.get_partition_keys(dynamic_partitions_store=instance))
        if partitions
        else 0,
        checks=f"{passed} passed, {warned} warned, {failed} failed" if counts else "-",
        refused=failed > 0,
        state="late"
        if key.path[0] in late
        else "failed checks"
        if failed
        else "ok"
        if event
        else "-",
    )


def _late(
    instance: dg.DagsterInstance, settings: Settings, *, due: bool, report: bool, now_ms: int
) -> frozenset[str]:
    """First path parts of the assets whose schedule runs and has not made what is due."""
    if not settings.schedules.enabled:
        return frozenset()
    groups = {"days": ("raw", "curated", "features"), "report": ("analytics", "reports")}
    newest = {"days": keys.CURATED_FLIGHTS, "report": keys.PIPELINE_REPORT}
    found: set[str] = set()
    for what, is_due in (("days", due), ("report", report)):
        event = instance.get_latest_materialization_event(newest[what])
        age_ms = now_ms - int(event.timestamp * 1000) if event else LATE_AFTER_MS[what] + 1
        if is_due and age_ms > LATE_AFTER_MS[what]:
            found.update(groups[what])
    return frozenset(found)


def _check_counts(settings: Settings) -> dict[str, Counts]:
    with opened(settings, doing="dp status") as lake, lake.reader() as reader:
        lake.attach(reader, [DATA_QUALITY_RESULTS.table])
        return check_counts(reader)
