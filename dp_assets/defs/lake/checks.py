"""Checks on the inventory. They list the catalog again; the asset is not trusted."""

import dagster as dg

from dp_assets import keys
from dp_assets.adapters.inventory_state import read_inventory
from dp_assets.domains.lake.inventory import partition_names, pointers_digest
from dp_assets.failures import step_boundary
from dp_assets.orchestration.resources import LakehouseResource

SHOWN = 10


@dg.asset_check(asset=keys.INVENTORY, blocking=True)
def partitions_equal_catalog(
    context: dg.AssetCheckExecutionContext, house: LakehouseResource
) -> dg.AssetCheckResult:
    """The dynamic partitions `tables` are exactly the catalog's tables.

    A difference while the catalog has moved on since the sweep is a warning: the next sweep is
    due. Otherwise it is an error.
    """
    from dp_assets.adapters.pyiceberg_inventory import list_pointers

    with step_boundary(), house.open() as lake:
        now = list_pointers(lake.catalog)
        swept = read_inventory(lake.settings.inventory_file).inventory
    tables = partition_names(now)
    known = set(context.instance.get_dynamic_partitions(str(keys.TABLES.name)))
    moved_on = pointers_digest(swept.pointers) != pointers_digest(now)
    return dg.AssetCheckResult(
        passed=known == tables,
        severity=dg.AssetCheckSeverity.WARN if moved_on else dg.AssetCheckSeverity.ERROR,
        description=f"{len(tables)} tables in the catalog, {len(known)} partitions",
        metadata={
            "missing": _some(tables - known),
            "superfluous": _some(known - tables),
            "without_partition": _some({str(table) for table in now} - tables),
        },
    )


def _some(names: set[str] | frozenset[str]) -> dg.MetadataValue:
    return dg.MetadataValue.json(sorted(names)[:SHOWN])
