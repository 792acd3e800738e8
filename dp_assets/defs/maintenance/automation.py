"""When health is measured: after the inventory has seen that a table moved."""

import dagster as dg

from dp_assets import keys
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import now_ms
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import load_settings

health_job = dg.define_asset_job(
    "health",
    dg.AssetSelection.assets(keys.HEALTH),
    description="What maintenance each table needs; only tables that moved are read.",
)


@dg.definitions
def automation() -> dg.Definitions:
    """The job, and the sensor as the settings start everything."""
    running = load_settings().schedules.enabled
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(jobs=[health_job], sensors=[health_due_sensor(status)])


def health_due_sensor(status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor ``health_due``; a function, because its status is read from the settings."""

    @dg.sensor(
        job=health_job,
        minimum_interval_seconds=300,
        default_status=status,
        description="Asks for a sweep for health when a table moved since the last one.",
    )
    def health_due(
        context: dg.SensorEvaluationContext, house: LakehouseResource
    ) -> dg.SensorResult | dg.SkipReason:
        """Asks once per state of the catalog: a sweep that fails waits for the next commit."""
        from dp_assets.usecases.maintenance.judging import unswept

        try:
            with house.open() as lake:
                found = unswept(lake, now_ms=now_ms())
        except ConfigurationError as error:
            return dg.SkipReason(str(error))
        if not found.tables:
            return dg.SkipReason("no table moved since the last sweep")
        if found.digest == context.cursor:
            return dg.SkipReason("a sweep was asked for already")
        return dg.SensorResult(run_requests=[dg.RunRequest()], cursor=found.digest)

    return health_due
