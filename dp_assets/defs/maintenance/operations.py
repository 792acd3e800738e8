"""Each operation of maintenance as an asset; its partitions are the tables of the inventory.

One step does one operation on one table; the table's page shows its whole history.
"""

from collections.abc import Mapping

import dagster as dg

from dp_assets import keys
from dp_assets.failures import step_boundary
from dp_assets.orchestration.operations import BY_HAND, KEYS, WHY, operation_metadata
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.maintenance import Operation, Outcome

POOL = "maintenance"
DESCRIPTIONS: Mapping[Operation, str] = {
    Operation.EXPIRY: "Snapshots go that are too old by age and count; branches, tags and what "
    "they stand on stay.\n\nNo file is deleted: what is freed waits in the trash until its "
    "window closes.",
    Operation.MANIFESTS: "Small manifests are merged and clustered by partition, so that a reader "
    "opens few of them.\n\nThe data files are those from before, with their sequence numbers.",
    Operation.COMPACTION: "Small files and files with many deletes are rewritten into few of the "
    "target size, with deletes applied.\n\nEach group is proven row by row before its commit, "
    "and is a commit of its own. What cannot be done exactly is refused, with the reason.",
    Operation.ORPHANS: "Files below the table's locations that nothing names go to the trash, once "
    "they are older than any writer can take.\n\nNo file is deleted before the window of the "
    "trash closes.",
}


@dg.definitions
def operations() -> dg.Definitions:
    """The assets, each after the one before it in the order in which they are done."""
    return dg.Definitions(assets=operation_assets())


def operation_assets() -> list[dg.AssetsDefinition]:
    """One asset per operation."""
    after = (keys.HEALTH, *KEYS.values())
    return [
        _asset(operation, key, before=before)
        for before, (operation, key) in zip(after, KEYS.items(), strict=False)
    ]


def _asset(operation: Operation, key: dg.AssetKey, *, before: dg.AssetKey) -> dg.AssetsDefinition:
    @dg.asset(
        key=key,
        deps=[before],
        partitions_def=keys.TABLES,
        description=DESCRIPTIONS[operation],
        group_name="maintenance",
        kinds={"iceberg"},
        owners=["team:lakehouse"],
        pool=POOL,
    )
    def operation_asset(
        context: dg.AssetExecutionContext, house: LakehouseResource
    ) -> dg.MaterializeResult:
        from dp_assets.usecases.maintenance.one_operation import plan_operation, run_operation

        with step_boundary(), house.open() as lake:
            planned = plan_operation(lake, context.partition_key, operation)
            ran = run_operation(lake, planned, run_id=context.run.run_id, warn=context.log.warning)
        if ran.attempt.outcome is Outcome.REFUSED:
            context.log.warning("refused, nothing was done: %s", ran.attempt.problem)
        why = context.run.tags.get(WHY, BY_HAND)
        return dg.MaterializeResult(metadata=operation_metadata(ran, why=why))

    return operation_asset
