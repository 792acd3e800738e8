"""What the daemon and ``dp run`` share: what was made, what is due, and how a run is described."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from dp_assets import keys
from dp_assets.domains.pipeline.due import DayPlan, DayRange, plan_days, ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dp_assets.domains.pipeline.due import Made

UNFINISHED = (
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
)
# A run of ``dp run`` names its process: nobody else would notice that it was killed.
OWNER = "dp/owner"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
FEATURE_KEYS = (keys.ROUTE_DAY, keys.CARRIER_DAY)
DAILY_KEYS = (keys.RAW_FLIGHTS, keys.RAW_WEATHER, keys.CURATED_FLIGHTS, *FEATURE_KEYS)


def made_days(instance: dg.DagsterInstance) -> Made:
    """Asset -> day -> position in Dagster's event log of its last materialization."""
    return {
        key.to_user_string(): instance.get_latest_storage_id_by_partition(
            key, dg.DagsterEventType.ASSET_MATERIALIZATION
        )
        for key in DAILY_KEYS
    }


def due_days(instance: dg.DagsterInstance, days: Sequence[str]) -> DayPlan:
    """Which of ``days`` need work, by Dagster's own record."""
    return plan_days(days, made_days(instance))


def newest_range(days: Sequence[str], *, at_most: int) -> DayRange | None:
    """The last consecutive stretch of ``days``, its newest ``at_most`` of them."""
    found = ranges(days, at_most=len(days) or 1)
    if not found:
        return None
    stretch = [d for d in sorted(days) if found[-1].first <= d <= found[-1].last][-at_most:]
    return DayRange(stretch[0], stretch[-1])


def range_tags(days: DayRange) -> dict[str, str]:
    """Run tags that make Dagster hand ``days`` to each step."""
    return {RANGE_START: days.first, RANGE_END: days.last}


def is_running(instance: dg.DagsterInstance, job: str) -> bool:
    """Whether a run of ``job`` is queued or under way."""
    filters = dg.RunsFilter(job_name=job, statuses=list(UNFINISHED))
    return bool(instance.get_run_records(filters=filters, limit=1))


def event_databases(instance: dg.DagsterInstance, run: dg.DagsterRun) -> tuple[Path, ...]:
    """Files that the events of ``run`` go to when Dagster keeps them in SQLite.

    The run's own is left out unless ``dp run`` shows the progress: Dagster's page of a run follows
    it by watching that file change.
    """
    folder = Path(instance.root_directory, "history", "runs")
    index, own = folder / "index.db", folder / f"{run.run_id}.db"
    return (index, own) if OWNER in run.tags else (index,)
