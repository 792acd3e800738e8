"""Facts on their way into ``ops``: an asset that commits what waits, and the sensor that asks."""

import dagster as dg

from dp_assets import keys
from dp_assets.failures import step_boundary
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.settings import load_settings


@dg.definitions
def facts() -> dg.Definitions:
    """One asset over the spool, and its sensor as ``lakehouse.yaml`` sets it."""
    settings = load_settings()
    running = settings.schedules.enabled
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED
    seconds = settings.spool.flush_minutes * 60
    return dg.Definitions(assets=[recorded], sensors=[_rows_wait(status, seconds)])


@dg.asset(
    key=keys.FACTS,
    deps=[keys.DAY_VERDICTS, keys.BENCHMARK_RESULTS],
    group_name="ops",
    kinds={"iceberg"},
    owners=["team:lakehouse"],
    pool="catalog_commit",
)
def recorded(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """Rows of `ops.data_quality_results` and `ops.benchmark_results`, out of the spool.

    Every check of every contract, passed or not, is one row. Steps only spool, so that a problem
    here never fails what they did; one commit per table takes all that waits.
    """
    with step_boundary(), house.open() as lake:
        flushed = lake.flush()
    for done in flushed:
        context.log.info("%s: %d rows, %d batches", done.table, done.rows, len(done.written))
    return dg.MaterializeResult(
        metadata={
            str(done.table): f"{done.rows:,} rows in snapshot {done.snapshot_id}"
            + (f"; {len(done.set_aside)} batches do not fit, set aside" if done.set_aside else "")
            for done in flushed
        }
    )


def _rows_wait(status: dg.DefaultSensorStatus, seconds: int) -> dg.SensorDefinition:
    @dg.sensor(
        name="rows_wait",
        target=[keys.FACTS],
        minimum_interval_seconds=seconds,
        default_status=status,
        description="Asks for a flush when facts wait in the spool; otherwise does nothing.",
    )
    def rows_wait(house: LakehouseResource) -> dg.RunRequest | dg.SkipReason:
        with house.open() as lake:
            waiting = lake.spool.tables()
        return dg.RunRequest() if waiting else dg.SkipReason("nothing waits in the spool")

    return rows_wait
