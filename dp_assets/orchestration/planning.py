"""Which runs bring the pipeline up to date, and which a person's words ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets import keys
from dp_assets.core.errors import ConfigurationError
from dp_assets.domains.pipeline.due import ranges
from dp_assets.orchestration.made import due_days

if TYPE_CHECKING:
    from collections.abc import Sequence

    import dagster as dg

    from dp_assets.core.ids import TableId
    from dp_assets.domains.pipeline.due import DayRange

PIPELINE = "pipeline"
# Their one partition that can be made is today's.
RECOVERY_JOBS = (
    *("metastore_dump", "recovery_point", "verification", "retention", "drill", "replica"),
)
JOBS = ("dimensions", "days", "features", "inventory", "health", "report", *RECOVERY_JOBS)
DIMENSIONS = (keys.RAW_PLANES, keys.RAW_AIRPORTS, keys.RAW_AIRLINES)


@dataclass(frozen=True, slots=True)
class Planned:
    """One run to be made."""

    job: str
    days: DayRange | None = None
    table: TableId | None = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.job, self.days, self.table) if part)


def plan_pipeline(
    instance: dg.DagsterInstance, days: Sequence[str], *, at_most: int
) -> tuple[Planned, ...]:
    """The runs that bring ``days`` and the report up to date; empty when nothing is due."""
    plan = due_days(instance, days)
    runs = [Planned("days", r) for r in ranges(plan.ingest, at_most=at_most)]
    runs += [Planned("features", r) for r in ranges(plan.features, at_most=at_most)]
    if not all(instance.get_latest_materialization_event(key) for key in DIMENSIONS):
        runs.insert(0, Planned("dimensions"))
    return tuple(runs)


def parse_days(text: str) -> list[str]:
    """``2013-01-05``, ``2013-01-05..2013-01-09``, or all days of the pipeline for "".

    Raises:
        ConfigurationError: not a day, or outside of what the pipeline has.
    """
    known = keys.DAYS.get_partition_keys()
    first, _, last = text.partition("..")
    chosen = [d for d in known if first <= d <= (last or first)] if text else list(known)
    if text and not ({first, last or first} <= set(known) and chosen):
        raise ConfigurationError(
            f"{text} is not a range of the pipeline's days",
            hint=f"write FIRST..LAST within {known[0]}..{known[-1]}, e.g. 2013-01-01..2013-01-31",
        )
    return chosen


def plan_job(job: str, days: Sequence[str], *, at_most: int) -> list[Planned]:
    """The runs of one job. Raises ConfigurationError: there is no such job."""
    if job not in JOBS:
        raise ConfigurationError(
            f"there is no job {job}", hint=f"one of {', '.join((PIPELINE, *JOBS))}"
        )
    if job not in ("days", "features"):
        return [Planned(job)]
    return [Planned(job, r) for r in ranges(days, at_most=at_most)]


def report_is_due(instance: dg.DagsterInstance) -> bool:
    """Whether some day was made after the newest report."""
    made = instance.get_latest_materialization_event(keys.PIPELINE_REPORT)
    newest = instance.get_latest_materialization_event(keys.CARRIER_DAY)
    if made is None or newest is None:
        return newest is not None
    return newest.timestamp > made.timestamp
