"""Jobs of recovery, and when they run: each for the partition that means today."""

from collections.abc import Mapping

import dagster as dg

from dp_assets import keys
from dp_assets.orchestration.recovery import today
from dp_assets.settings import Settings, load_settings

# The tag that dagster.yaml limits to one run at a time.
ONE_AT_A_TIME = {"dp/backup": "point"}
FULL_DRILL = {"ops": {"backup__drill": {"config": {"everything": True}}}}


def _job(
    name: str, key: dg.AssetKey, description: str, *, tags: Mapping[str, str] | None = None
) -> "dg.UnresolvedAssetJobDefinition":
    return dg.define_asset_job(
        name,
        dg.AssetSelection.assets(key),
        description=description,
        tags=tags,
    )


metastore_dump = _job(
    "metastore_dump", keys.METASTORE_DUMP, "The catalog itself, dumped and loaded again to be sure."
)
recovery_point = _job(
    "recovery_point",
    keys.RECOVERY_POINT,
    "All tables of one moment, into the repository.",
    tags=ONE_AT_A_TIME,
)
verification = _job(
    "verification", keys.VERIFICATION, "Objects are there and right; a share is read again."
)
retention = _job("retention", keys.RETENTION, "Old points are forgotten, then their objects.")
drill = _job("drill", keys.DRILL, "The newest complete point, restored and proven.")
replica = _job("replica", keys.REPLICA, "The repository in its second place.")


@dg.definitions
def automation() -> dg.Definitions:
    """The jobs, and the schedules as ``lakehouse.yaml`` sets them."""
    settings = load_settings()
    crons = settings.schedules
    schedules = [
        _schedule(settings, metastore_dump, crons.dump_cron),
        _schedule(settings, recovery_point, crons.backup_cron),
        _schedule(settings, verification, crons.verify_cron),
        _schedule(settings, retention, crons.prune_cron),
        _schedule(settings, drill, crons.drill_cron),
        _schedule(settings, drill, crons.full_drill_cron, name="full_drill", config=FULL_DRILL),
    ]
    if settings.replica.url:
        schedules.append(_schedule(settings, replica, crons.replica_cron))
    return dg.Definitions(
        jobs=[metastore_dump, recovery_point, verification, retention, drill, replica],
        schedules=schedules,
    )


def _schedule(
    settings: Settings,
    job: "dg.UnresolvedAssetJobDefinition",
    cron: str,
    *,
    name: str = "",
    config: Mapping[str, object] | None = None,
) -> dg.ScheduleDefinition:
    running = settings.schedules.enabled

    @dg.schedule(
        name=name or job.name,
        job=job,
        cron_schedule=cron,
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING
        if running
        else dg.DefaultScheduleStatus.STOPPED,
        description=f"{job.description} Always for today's partition.",
    )
    def schedule() -> dg.RunRequest:
        return dg.RunRequest(partition_key=today(), run_config=dict(config or {}))

    return schedule
