"""When tables are maintained: a sensor that asks for what is due, and the same once a night."""

import dagster as dg

from dp_assets.core.errors import ConfigurationError
from dp_assets.orchestration.asking import JOB, asked_runs
from dp_assets.orchestration.operations import KEYS
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import Settings, load_settings

maintenance_job = dg.define_asset_job(
    JOB,
    dg.AssetSelection.assets(*KEYS.values()),
    description="All operations on one table, in their order.",
)
# For who wants one of them: `dp`, or a person on the page of jobs.
operation_jobs = [
    dg.define_asset_job(
        str(operation),
        dg.AssetSelection.assets(key),
        description=f"Only {operation} of one table.",
    )
    for operation, key in KEYS.items()
]


@dg.definitions
def automation() -> dg.Definitions:
    """The jobs, the sensor and the schedule, as the settings start everything."""
    settings = load_settings()
    running = settings.schedules.enabled
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        jobs=[maintenance_job, *operation_jobs],
        sensors=[maintenance_due_sensor(status)],
        schedules=[maintenance_schedule(settings)],
    )


def maintenance_due_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor ``maintenance_due``; a function, because its status is read from the settings."""

    @dg.sensor(
        job=maintenance_job,
        minimum_interval_seconds=60,
        default_status=status,
        description="Asks for one run per table that is due, the worst first, within the budget.",
    )
    def maintenance_due(
        context: dg.SensorEvaluationContext, house: LakehouseResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        """Looks only at tables that moved, or whose time has come."""
        try:
            with house.open() as lake:
                return asked_runs(lake, context.instance)
        except ConfigurationError as error:
            return dg.SkipReason(str(error))

    return maintenance_due


def maintenance_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """The schedule ``maintenance``: the same work, with a look at every table."""
    running = settings.schedules.enabled

    @dg.schedule(
        name="maintenance",
        job=maintenance_job,
        cron_schedule=settings.schedules.maintenance_cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING
        if running
        else dg.DefaultScheduleStatus.STOPPED,
        description="One run per table that is due; every table is looked at.",
    )
    def maintenance(
        context: dg.ScheduleEvaluationContext, house: LakehouseResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        with house.open() as lake:
            return asked_runs(lake, context.instance, everything=True)

    return maintenance
