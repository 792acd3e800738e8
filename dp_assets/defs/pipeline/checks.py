"""One contract per table, as a blocking check that reads the table again."""

import dagster as dg

from dp_assets import keys
from dp_assets.domains.pipeline import graph
from dp_assets.failures import step_boundary
from dp_assets.orchestration.quality_record import spool_verdicts
from dp_assets.orchestration.recording import CONTRACT, check_result
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.tables import TableSpec


def _daily(spec: TableSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(spec.writer.split("/")),
        name=CONTRACT,
        partitions_def=keys.DAYS,
        blocking=True,
        description=f"Everything {spec.table} promises about one day, read back from the table.",
    )
    def contract(
        context: dg.AssetCheckExecutionContext, house: LakehouseResource
    ) -> dg.AssetCheckResult:
        day = context.partition_key
        with step_boundary(table=str(spec.table), day=day), house.open() as lake:
            verdict = lake.pipeline.verdicts(spec, [day])[day]
            spool_verdicts(context, lake, [verdict])
        return check_result(verdict)

    return contract


def _whole(spec: TableSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(spec.writer.split("/")),
        name=CONTRACT,
        blocking=True,
        description=f"Everything {spec.table} promises, read back from the table.",
    )
    def contract(
        context: dg.AssetCheckExecutionContext, house: LakehouseResource
    ) -> dg.AssetCheckResult:
        with step_boundary(table=str(spec.table)), house.open() as lake:
            verdict = lake.pipeline.verdict(spec)
            spool_verdicts(context, lake, [verdict])
        return check_result(verdict)

    return contract


raw_flights, raw_weather, curated_flights, route_day, carrier_day = (
    _daily(table.spec) for table in graph.DAILY
)
raw_planes, raw_airports, raw_airlines = (_whole(spec) for spec in graph.DIMENSIONS)
