"""The inventory: every table of the catalog, ours or not, known by name, facts and history."""

from collections.abc import Mapping
from dataclasses import asdict

import dagster as dg
from pydantic import Field

from dp_assets import keys
from dp_assets.adapters.inventory_state import read_inventory, write_inventory
from dp_assets.core.ids import TableId
from dp_assets.core.units import format_bytes, now_ms, utc
from dp_assets.domains.lake.inventory import (
    InventoryPlan,
    apply_inventory,
    new_heads,
    partition_names,
    plan_inventory,
    refuse_mass_loss,
)
from dp_assets.domains.lake.summary import biggest_markdown, count
from dp_assets.failures import step_boundary
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.inventory import Inventory, TableFacts
from dp_assets.setting_sections import Inventory as InventoryLimits

PARTITIONS = str(keys.TABLES.name)


class InventoryConfig(dg.Config):
    """What a person confirms for one sweep."""

    allow_gone: int = Field(
        default=0,
        ge=0,
        description="So many tables may be gone at once: they were dropped on purpose.",
    )


@dg.asset(
    key=keys.INVENTORY,
    group_name="lake",
    kinds={"iceberg"},
    owners=["team:lakehouse"],
)
def inventory(
    context: dg.AssetExecutionContext, config: InventoryConfig, house: LakehouseResource
) -> dg.MaterializeResult:
    """Every table in the catalog, also those that no asset here made, from metadata alone.

    Each is a key of the dynamic partitions `tables` and, once the code location is reloaded, an
    external asset `lake/<namespace>/<table>`. Only tables whose pointer moved are read. Stops,
    and changes nothing, when the listing is empty or more than 10 % and more than three tables
    are gone at once.
    """
    # Imported here: PyIceberg's import takes longer than loading the code location may.
    from dp_assets.adapters.pyiceberg_inventory import list_pointers, read_facts

    with step_boundary(), house.open() as lake:
        saved = read_inventory(lake.settings.inventory_file)
        if saved.problem:
            context.log.warning("%s; every table is read again", saved.problem)
        now = list_pointers(lake.catalog)
        plan = _believed(
            context, saved.inventory, now, limits=lake.settings.inventory, config=config
        )
        swept = apply_inventory(
            plan,
            saved.inventory,
            read=lambda table: read_facts(lake.catalog, table, now[table]),
            now_ms=now_ms(),
        )
        _make_partitions_equal(context.instance, partition_names(swept.tables))
        for facts in new_heads(saved.inventory, swept):
            context.log_event(_observation(facts))
        write_inventory(lake.settings.inventory_file, swept)  # last: all of the above was done
    return dg.MaterializeResult(metadata=_metadata(plan, swept))


def _believed(
    context: dg.AssetExecutionContext,
    previous: Inventory,
    now: Mapping[TableId, str],
    *,
    limits: InventoryLimits,
    config: InventoryConfig,
) -> InventoryPlan:
    """The plan, unless too many tables are gone; Dagster's keys count when the state was lost."""
    refuse_mass_loss(
        set(context.instance.get_dynamic_partitions(PARTITIONS)),
        partition_names(now),
        max_share=limits.max_gone_share,
        max_tables=limits.max_gone_tables,
        allow_gone=config.allow_gone,
    )
    return plan_inventory(
        previous,
        now,
        max_gone_share=limits.max_gone_share,
        max_gone_tables=limits.max_gone_tables,
        allow_gone=config.allow_gone,
    )


def _make_partitions_equal(instance: dg.DagsterInstance, names: frozenset[str]) -> None:
    known = set(instance.get_dynamic_partitions(PARTITIONS))
    instance.add_dynamic_partitions(PARTITIONS, sorted(names - known))
    for name in sorted(known - names):
        instance.delete_dynamic_partition(PARTITIONS, name)


def _observation(facts: TableFacts) -> dg.AssetObservation:
    return dg.AssetObservation(
        asset_key=keys.discovered(facts.namespace, facts.table.name),
        tags={"dagster/data_version": str(facts.head_snapshot_id)},
        metadata={
            "dagster/row_count": facts.rows or 0,
            "files": facts.files or 0,
            "size": format_bytes(facts.bytes or 0),
            "delete_files": facts.delete_files or 0,
            "snapshots": facts.snapshots or 0,
            "committed": dg.MetadataValue.timestamp(utc(facts.last_commit_ms or 0)),
            "metadata_location": facts.metadata_location,
        },
    )


def _metadata(plan: InventoryPlan, swept: Inventory) -> dict[str, dg.MetadataValue]:
    counts = count(plan, swept)
    numbers = {name: dg.MetadataValue.int(value) for name, value in asdict(counts).items()}
    return {
        **numbers,
        "read": dg.MetadataValue.int(len(plan.to_read)),
        "size": dg.MetadataValue.text(format_bytes(counts.bytes)),
        "biggest": dg.MetadataValue.md(biggest_markdown(swept)),
    }
