"""Checks on recovery. They read the repository and the clock; the assets are not trusted."""

import dagster as dg

from dp_assets import keys
from dp_assets.core.errors import PermanentError
from dp_assets.core.units import HOUR_MS, MINUTE_MS, format_seconds, now_ms
from dp_assets.failures import step_boundary
from dp_assets.orchestration.recovery import listed, opened_repository
from dp_assets.orchestration.resources import LakehouseResource

POINT = {"asset": keys.RECOVERY_POINT, "partitions_def": keys.POINTS}
DRILL = {"asset": keys.DRILL, "partitions_def": keys.POINTS}


@dg.asset_check(asset=keys.METASTORE_DUMP, partitions_def=keys.POINTS, blocking=True)
def dump_restores(house: LakehouseResource) -> dg.AssetCheckResult:
    """The newest dump, loaded into a scratch database again, has its tables, pointers and rows."""
    from dp_assets.usecases.dumping import check_dump, list_dumps

    with step_boundary(), house.open() as lake:
        dumps = [stored for stored in list_dumps(lake.settings) if stored.finished]
        if not dumps:
            raise PermanentError("there is no finished dump", hint="'dp dump' makes one")
        found = check_dump(dumps[-1].folder)
    return dg.AssetCheckResult(
        passed=found.good,
        description="; ".join(found.problems) or f"{found.pointers:,} tables came back",
        metadata={"dump": dumps[-1].folder.name, "problems": listed(list(found.problems))},
    )


@dg.asset_check(**POINT, blocking=True)
def complete(house: LakehouseResource) -> dg.AssetCheckResult:
    """Every selected table is whole in the newest point; those that are not are named."""
    from dp_assets.usecases.backup.newest_point import newest_point

    with step_boundary(), opened_repository(house) as (lake, repository):
        newest = newest_point(lake, repository)
    broken = [f"{t.table}: {t.problem}" for t in newest.manifest.tables if t.problem]
    return dg.AssetCheckResult(
        passed=newest.record.complete and not broken,
        description=f"point {newest.record.number}: {len(broken)} tables are not whole",
        metadata={"incomplete": listed(broken)},
    )


@dg.asset_check(**POINT, blocking=True)
def consistent_cut(house: LakehouseResource) -> dg.AssetCheckResult:
    """All tables of the newest point are of one moment."""
    from dp_assets.usecases.backup.newest_point import newest_point

    with step_boundary(), opened_repository(house) as (lake, repository):
        manifest = newest_point(lake, repository).manifest
    skewed = [f"{t.table}: {t.skew_ms} ms later" for t in manifest.tables if t.skew_ms]
    return dg.AssetCheckResult(
        passed=not skewed,
        description=f"point {manifest.number}: cut by {manifest.cut}, {len(skewed)} tables skewed",
        metadata={"cut": manifest.cut, "skew_ms": manifest.skew_ms, "skewed": listed(skewed)},
    )


@dg.asset_check(**POINT, blocking=True)
def size_plausible(house: LakehouseResource) -> dg.AssetCheckResult:
    """The newest point is neither empty nor suddenly much smaller than the one before."""
    from dp_assets.domains.backup.sizes import size_problems
    from dp_assets.usecases.backup.newest_point import newest_point

    with step_boundary(), opened_repository(house) as (lake, repository):
        newest = newest_point(lake, repository)
    problems = size_problems(newest.before, newest.manifest)
    return dg.AssetCheckResult(
        passed=not problems,
        description="; ".join(problems) or f"point {newest.record.number} is as big as expected",
        metadata={"size_bytes": newest.record.bytes, "tables": newest.record.tables},
    )


@dg.asset_check(**POINT)
def fresh(house: LakehouseResource) -> dg.AssetCheckResult:
    """The newest complete point is younger than `recovery.rpo_minutes`."""
    from dp_assets.usecases.backup.newest_point import newest_record

    with step_boundary(), opened_repository(house) as (lake, repository):
        record = newest_record(lake, repository)
        limit_ms = lake.settings.recovery.rpo_minutes * MINUTE_MS
    age_ms = now_ms() - record.cut_at_ms
    return dg.AssetCheckResult(
        passed=record.complete and age_ms <= limit_ms,
        description=f"point {record.number} is {format_seconds(age_ms / 1000)} old, "
        f"{format_seconds(limit_ms / 1000)} are promised",
        metadata={"age_seconds": age_ms / 1000, "complete": record.complete},
    )


@dg.asset_check(**POINT)
def success_rate(house: LakehouseResource) -> dg.AssetCheckResult:
    """Of the attempts of 30 days, at least `recovery.success_share` made a complete point."""
    from dp_assets.usecases.backup.newest_point import success_rate

    with step_boundary(), house.open() as lake:
        rate = success_rate(lake)
        wanted = lake.settings.recovery.success_share
    return dg.AssetCheckResult(
        passed=rate.share >= wanted,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{rate.complete} of {rate.attempts} attempts: {rate.share:.2%}",
        metadata={"attempts": rate.attempts, "share": rate.share, "wanted": wanted},
    )


@dg.asset_check(asset=keys.VERIFICATION, partitions_def=keys.POINTS, blocking=True)
def undamaged(house: LakehouseResource) -> dg.AssetCheckResult:
    """Everything that points need exists with the right size; contents are the asset's share."""
    from dp_assets.domains.backup.verification import Share
    from dp_assets.usecases.backup.indexing import opened_index
    from dp_assets.usecases.backup.verifying import Verification, verify

    with step_boundary(), opened_repository(house) as (lake, repository):
        share = Share(now_ms(), lake.settings.recovery.reread_days)
        with opened_index(lake.settings, repository) as index:
            found = verify(repository, index, Verification(share))
    lines = [f"`{one.key}` {one.what}" for one in found.damages]
    return dg.AssetCheckResult(
        passed=found.is_whole,
        description=f"{found.objects:,} objects, {len(found.damages)} damaged",
        metadata={"damaged": listed(lines)},
    )


@dg.asset_check(**DRILL, blocking=True)
def proven(house: LakehouseResource) -> dg.AssetCheckResult:
    """Every table of the drilled point came back as recorded; those that did not are named."""
    from dp_assets.usecases.backup.proofs import newest_proof

    with step_boundary(), opened_repository(house) as (_, repository):
        proof = newest_proof(repository)
    wrong = [f"{name}: {said}" for name, said in proof.tables.items() if said != "proven"]
    return dg.AssetCheckResult(
        passed=proof.proven,
        description=f"point {proof.point}, read: {proof.scope}; {len(wrong)} not fully proven",
        metadata={"not_fully_proven": listed(wrong), "tables": len(proof.tables)},
    )


@dg.asset_check(**DRILL)
def rto_within(house: LakehouseResource) -> dg.AssetCheckResult:
    """The measured recovery time is within `recovery.rto_minutes`."""
    from dp_assets.usecases.backup.proofs import newest_proof

    with step_boundary(), opened_repository(house) as (lake, repository):
        proof = newest_proof(repository)
        limit = lake.settings.recovery.rto_minutes * 60
    return dg.AssetCheckResult(
        passed=proof.seconds <= limit,
        description=f"restored in {format_seconds(proof.seconds)}, "
        f"{format_seconds(limit)} are promised",
        metadata={"seconds": proof.seconds, "bytes": proof.bytes},
    )


@dg.asset_check(**DRILL)
def rpo_within(house: LakehouseResource) -> dg.AssetCheckResult:
    """The drilled point was younger than `recovery.rpo_minutes` when it was drilled."""
    from dp_assets.usecases.backup.proofs import newest_proof, point_age_ms

    with step_boundary(), opened_repository(house) as (lake, repository):
        proof = newest_proof(repository)
        limit_ms = lake.settings.recovery.rpo_minutes * MINUTE_MS
        age_ms = point_age_ms(repository, proof)
    return dg.AssetCheckResult(
        passed=age_ms <= limit_ms,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"the drilled point was {format_seconds(age_ms / 1000)} old, "
        f"{format_seconds(limit_ms / 1000)} are promised",
        metadata={"age_seconds": age_ms / 1000},
    )


@dg.asset_check(asset=keys.REPLICA, partitions_def=keys.POINTS)
def lag_within(house: LakehouseResource) -> dg.AssetCheckResult:
    """The second place is no further behind than `replica.max_lag_hours`."""
    from dp_assets.usecases.backup.replicating_place import lag_of

    with step_boundary(), house.open() as lake:
        state = lag_of(lake.settings)
        limit_ms = lake.settings.replica.max_lag_hours * HOUR_MS
    return dg.AssetCheckResult(
        passed=state.lag_ms <= limit_ms,
        description=f"{len(state.behind)} points behind, for {format_seconds(state.lag_ms / 1000)}",
        metadata={"behind": len(state.behind), "lag_seconds": state.lag_ms / 1000},
    )
