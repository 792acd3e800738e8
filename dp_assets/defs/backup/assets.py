"""Recovery as assets: points, their verification, their drill, their retention, their replica."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from dp_assets import keys
from dp_assets.core.units import format_bytes, format_seconds, now_ms
from dp_assets.failures import step_boundary
from dp_assets.orchestration.recovery import (
    listed,
    opened_repository,
    point_metadata,
    require_now,
)
from dp_assets.orchestration.resources import LakehouseResource

if TYPE_CHECKING:
    from dp_assets.domains.backup.proving import TableProof
    from dp_assets.domains.backup.verification import Damage

GROUP, OWNERS, KINDS = "backup", ["team:lakehouse"], {"iceberg"}


@dg.asset(
    key=keys.METASTORE_DUMP,
    partitions_def=keys.POINTS,
    deps=[keys.INVENTORY],
    group_name=GROUP,
    kinds={"sql"},
    owners=OWNERS,
)
def metastore_dump(
    context: dg.AssetExecutionContext, house: LakehouseResource
) -> dg.MaterializeResult:
    """The catalog itself: which table is at which metadata file, and its namespaces.

    SQLite by its online backup, PostgreSQL by pg_dump of one exported snapshot, anything else by
    an export of our own. Each dump is loaded into a scratch database and compared at once.
    """
    from dp_assets.usecases.dumping import dump

    with step_boundary(), house.open() as lake:
        require_now(context.partition_key)
        done = dump(lake)
    return dg.MaterializeResult(
        metadata={
            "folder": dg.MetadataValue.path(str(done.folder)),
            "kind": done.dumped.kind.value,
            "tables": len(done.dumped.pointers),
            "rows": sum(done.dumped.rows.values()),
            "size": format_bytes(done.dumped.size),
            "cut": done.dumped.cut,
            "restores": done.check.good,
            "took": format_seconds(done.seconds),
            "removed": listed(list(done.removed)),
        }
    )


@dg.asset(
    key=keys.RECOVERY_POINT,
    partitions_def=keys.POINTS,
    deps=[keys.INVENTORY],
    group_name=GROUP,
    kinds=KINDS,
    owners=OWNERS,
)
def recovery_point(
    context: dg.AssetExecutionContext, house: LakehouseResource
) -> dg.MaterializeResult:
    """One consistent cut of all tables, with every file they need, in the repository.

    The pointers come from a dump of the metastore, so all tables are of one moment. Files that
    the repository knows are not read again, except a sample of them. A table that cannot be
    copied whole makes the point incomplete, by name: it is kept, shown red, and never counts.
    """
    from dp_assets.usecases.backup.backing_up import back_up, wanted_by

    with step_boundary(), opened_repository(house, writing=True) as (lake, repository):
        require_now(context.partition_key)
        outcome = back_up(
            lake, repository, wanted=wanted_by(lake.settings), run_id=context.run.run_id
        )
    for warning in outcome.warnings:
        context.log.warning(warning)
    broken = [f"{t.table}: {t.problem}" for t in outcome.manifest.tables if t.problem]
    return dg.MaterializeResult(
        metadata={
            **point_metadata(outcome.record),
            "unchanged_tables": outcome.taken_over,
            "files_read_again": outcome.sampled_files,
            "incomplete": listed(broken),
        }
    )


@dg.asset(
    key=keys.VERIFICATION,
    partitions_def=keys.POINTS,
    deps=[keys.RECOVERY_POINT],
    group_name=GROUP,
    kinds=KINDS,
    owners=OWNERS,
)
def verification(
    context: dg.AssetExecutionContext, house: LakehouseResource
) -> dg.MaterializeResult:
    """Everything that points need exists with its size, and a share of it is read and hashed.

    The share is such that everything is read again within `recovery.reread_days`. What is damaged
    is named with the tables and snapshots that it breaks, and the next recovery point stores it
    again. Fails when anything is damaged.
    """
    from dp_assets.domains.backup.verification import Share
    from dp_assets.usecases.backup.indexing import opened_index
    from dp_assets.usecases.backup.verifying import Verification, verify

    with step_boundary(), opened_repository(house) as (lake, repository):
        require_now(context.partition_key)
        share = Share(now_ms(), lake.settings.recovery.reread_days)
        with opened_index(lake.settings, repository) as index:
            found = verify(repository, index, Verification(share))
    damaged = [f"`{one.key}` {one.what}; breaks {_broken(one)}" for one in found.damages]
    return dg.MaterializeResult(
        metadata={
            "points": found.points,
            "objects": found.objects,
            "size": format_bytes(found.bytes),
            "read_again": f"{found.reread:,} objects, {format_bytes(found.reread_bytes)}",
            "superfluous": f"{found.superfluous:,} objects, "
            f"{format_bytes(found.superfluous_bytes)}",
            "damages": len(found.damages),
            "damaged": listed(damaged),
            "foreign": listed(found.foreign),
        }
    )


def _broken(damage: "Damage") -> str:
    """What a damage takes away: tables, else the parts of points."""
    return ", ".join(damage.tables or sorted({b.file for b in damage.breaks})) or "nothing"


class DrillConfig(dg.Config):
    """How much engines read."""

    everything: bool = Field(
        default=False, description="Every snapshot is read, not a sample; monthly by schedule."
    )


@dg.asset(
    key=keys.DRILL,
    partitions_def=keys.POINTS,
    deps=[keys.VERIFICATION],
    group_name=GROUP,
    kinds={"iceberg", "duckdb"},
    owners=OWNERS,
)
def drill(
    context: dg.AssetExecutionContext, config: DrillConfig, house: LakehouseResource
) -> dg.MaterializeResult:
    """The newest complete point, restored into a scratch lakehouse and proven there.

    A child process that can open nothing outside the scratch compares snapshots, refs, schema,
    files and deletes with what the point recorded, and reads with two engines. A backup counts
    only once this was done. The scratch is removed.
    """
    from dp_assets.usecases.backup.drilling import DrillWanted, drill

    with step_boundary(), opened_repository(house) as (lake, repository):
        require_now(context.partition_key)
        drilled = drill(
            lake.settings,
            repository,
            DrillWanted(everything=config.everything),
            run_id=context.run.run_id,
            spool=lake.spool,
        )
    for warning in drilled.warnings:
        context.log.warning(warning)
    record = drilled.record
    return dg.MaterializeResult(
        metadata={
            "point": record.point,
            "proven": record.proven,
            "scope": record.scope,
            "recovery_time": format_seconds(record.seconds),
            "recovery_seconds": record.seconds,
            "age_of_the_point": format_seconds(drilled.age_ms / 1000),
            "restored": format_bytes(record.bytes),
            "proving_took": format_seconds(drilled.proof_seconds),
            "tables": _proof_table(drilled.proofs),
        }
    )


@dg.asset(
    key=keys.RETENTION,
    partitions_def=keys.POINTS,
    deps=[keys.VERIFICATION],
    group_name=GROUP,
    kinds=KINDS,
    owners=OWNERS,
)
def retention(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """Points that no rule keeps are forgotten, and objects that none needs are deleted later.

    Pins, the newest point and the newest proven ones always stay. An object is first written into
    a list of condemned ones and deleted by a later run, never while a backup runs.
    """
    from dp_assets.usecases.backup.pruning_place import open_for_pruning

    with step_boundary(), house.open() as lake:
        require_now(context.partition_key)
        pruned = open_for_pruning(lake.settings, run_id=context.run.run_id).prune()
    return dg.MaterializeResult(
        metadata={
            "forgotten": listed([f"point {number}" for number in pruned.forgotten]),
            "condemned": pruned.condemned,
            "deleted": pruned.swept.deleted,
            "waiting": pruned.swept.waiting,
            "postponed": pruned.postponed or "no",
        }
    )


@dg.asset(
    key=keys.REPLICA,
    partitions_def=keys.POINTS,
    deps=[keys.RECOVERY_POINT],
    group_name=GROUP,
    kinds=KINDS,
    owners=OWNERS,
)
def replica(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """The repository in a second place: what is missing there is copied and hashed on the way."""
    from dp_assets.usecases.backup.replicating_place import replicate_to

    with step_boundary(), house.open() as lake:
        require_now(context.partition_key)
        done = replicate_to(lake.settings, run_id=context.run.run_id)
    return dg.MaterializeResult(
        metadata={
            "points": listed([f"point {number}" for number in done.points]),
            "objects": done.objects,
            "copied": format_bytes(done.bytes),
            "damages": len(done.damages),
            "behind": format_seconds(done.state.lag_ms / 1000),
        }
    )


def _proof_table(proofs: "Sequence[TableProof]") -> dg.MetadataValue:
    rows = [
        f"| {p.table} | {p.rows_point} | {p.rows_restored} | {p.snapshots_restored} of "
        f"{p.snapshots_point} | {'; '.join(p.engines)} | {p.source.value} | {p.said} |"
        for p in proofs
    ]
    head = "| table | rows | restored | snapshots | engines | source | verdict |"
    return dg.MetadataValue.md("\n".join([head, "|---|---|---|---|---|---|---|", *rows]))
