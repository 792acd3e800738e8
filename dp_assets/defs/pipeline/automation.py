"""Jobs of the pipeline, and when they run."""

import dagster as dg

from dp_assets import keys
from dp_assets.orchestration.made import (
    DAILY_KEYS,
    FEATURE_KEYS,
    due_days,
    is_running,
    newest_range,
    range_tags,
)
from dp_assets.orchestration.recording import DEFERRED
from dp_assets.settings import Settings, load_settings

# The tag that dagster.yaml limits to one run at a time.
ONE_AT_A_TIME = {"dp/pipeline": "days"}

dimensions = dg.define_asset_job(
    "dimensions",
    dg.AssetSelection.assets(keys.RAW_PLANES, keys.RAW_AIRPORTS, keys.RAW_AIRLINES),
    description="Planes, airports and airlines: replaced whole, each with its contract.",
)
days = dg.define_asset_job(
    "days",
    dg.AssetSelection.assets(*DAILY_KEYS, keys.DAY_VERDICTS).without_checks(),
    description="A range of days from ingest to features, each day judged on its own.",
    tags={DEFERRED: "true", **ONE_AT_A_TIME},
)
features = dg.define_asset_job(
    "features",
    dg.AssetSelection.assets(*FEATURE_KEYS).without_checks(),
    description="Features alone, for days whose past week changed.",
    tags={DEFERRED: "true", **ONE_AT_A_TIME},
)
report = dg.define_asset_job(
    "report",
    dg.AssetSelection.assets(
        keys.ON_TIME_REPORT,
        keys.VALIDATION,
        keys.BENCHMARK_RESULTS,
        keys.FACTS,
        keys.PIPELINE_REPORT,
    ),
    description="Analytics, reconciliation, benchmark, facts into ops, and the report page.",
)
inventory = dg.define_asset_job(
    "inventory",
    dg.AssetSelection.assets(keys.INVENTORY),
    description="Every table of the catalog, found and counted.",
)


def _status(settings: Settings) -> dg.DefaultScheduleStatus:
    running = settings.schedules.enabled
    return dg.DefaultScheduleStatus.RUNNING if running else dg.DefaultScheduleStatus.STOPPED


def _pipeline_schedule(settings: Settings) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="pipeline",
        job=days,
        cron_schedule=settings.schedules.pipeline_cron,
        execution_timezone="UTC",
        default_status=_status(settings),
        description="The newest days that are missing or out of date: one range, one run.",
    )
    def pipeline(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if is_running(context.instance, days.name):
            return dg.SkipReason("the run before this one has not ended")
        plan = due_days(context.instance, keys.DAYS.get_partition_keys())
        due = plan.ingest or plan.features
        newest = newest_range(due, at_most=settings.pipeline.days_per_run)
        if newest is None:
            return dg.SkipReason("every day is there and up to date")
        if plan.ingest:
            return dg.RunRequest(tags=range_tags(newest))
        # Without the empty list Dagster adds the checks of these assets, which take one day.
        return dg.RunRequest(
            asset_selection=list(FEATURE_KEYS), asset_check_keys=[], tags=range_tags(newest)
        )

    return pipeline


@dg.definitions
def automation() -> dg.Definitions:
    """The jobs, and the schedules as ``lakehouse.yaml`` sets them."""
    settings = load_settings()
    nightly_report = dg.ScheduleDefinition(
        name="report",
        job=report,
        cron_schedule=settings.schedules.report_cron,
        execution_timezone="UTC",
        default_status=_status(settings),
        description="The report page, after the night's loads.",
    )
    return dg.Definitions(
        jobs=[dimensions, days, features, report, inventory],
        schedules=[_pipeline_schedule(settings), nightly_report],
    )
