"""The pipeline's tables as assets. Each: build through the use case, record what is there."""

import dagster as dg

from dp_assets import keys
from dp_assets.domains.pipeline import graph, tables
from dp_assets.domains.pipeline.daily import DailyTable
from dp_assets.failures import step_boundary
from dp_assets.orchestration.declaring import about
from dp_assets.orchestration.quality_record import spool_verdicts
from dp_assets.orchestration.recording import (
    asked_days,
    is_deferred,
    record_days,
    record_whole,
    run_mark,
)
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.tables import TableSpec

POOL = "catalog_commit"


def _daily(table: DailyTable, *deps: dg.AssetDep | dg.AssetKey) -> dg.AssetsDefinition:
    """One daily table; several days in one run arrive only through the ``days`` job."""

    @dg.asset(
        **about(table.spec),
        deps=list(deps),
        partitions_def=keys.DAYS,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
        pool=POOL,
    )
    def build(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
        with step_boundary(table=str(table.spec.table)), house.open() as lake:
            result = lake.pipeline.build(table, asked_days(context), run=run_mark(context.run))
            if is_deferred(context.run):
                spool_verdicts(context, lake, result.verdicts.values())
            return record_days(context, result)

    return build


def _whole(spec: TableSpec) -> dg.AssetsDefinition:
    """One unpartitioned table that arrives from the source."""

    @dg.asset(**about(spec), pool=POOL)
    def build(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
        with step_boundary(table=str(spec.table)), house.open() as lake:
            written = lake.pipeline.build_whole(spec, reads=(), run=run_mark(context.run))
            return record_whole(context, written)

    return build


PAST_WEEK = dg.AssetDep(
    keys.CURATED_FLIGHTS,
    partition_mapping=dg.TimeWindowPartitionMapping(
        start_offset=-7, allow_nonexistent_upstream_partitions=True
    ),
)

raw_flights = _daily(graph.RAW_FLIGHTS)
raw_weather = _daily(graph.RAW_WEATHER)
raw_planes, raw_airports, raw_airlines = (_whole(spec) for spec in graph.DIMENSIONS)
curated_flights = _daily(
    graph.CURATED_FLIGHTS,
    keys.RAW_FLIGHTS,
    keys.RAW_WEATHER,
    keys.RAW_PLANES,
    keys.RAW_AIRPORTS,
    keys.RAW_AIRLINES,
)
route_day = _daily(graph.ROUTE_DAY, PAST_WEEK)
carrier_day = _daily(graph.CARRIER_DAY, PAST_WEEK)


@dg.asset(
    key=keys.DAY_VERDICTS,
    deps=[keys.ROUTE_DAY, keys.CARRIER_DAY],
    partitions_def=keys.DAYS,
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=1),
    group_name="quality",
    kinds={"duckdb"},
    owners=["team:lakehouse"],
    metadata={"contracts": ", ".join(str(daily.spec.table) for daily in graph.DAILY)},
)
def day_verdicts(
    context: dg.AssetExecutionContext, house: LakehouseResource
) -> dg.MaterializeResult:
    """The last word on a day: every contract of every daily table, or the run is red and says why.

    Other days of the same run are finished by then; only the refused ones are missing downstream.
    """
    with step_boundary(), house.open() as lake:
        days = asked_days(context)
        refused = lake.pipeline.refused([d.spec for d in graph.DAILY], days)
    for day in days:
        if is_deferred(context.run) and day not in refused:
            context.log_event(dg.AssetMaterialization(context.asset_key, partition=day))
    if refused:
        raise dg.Failure(
            description="\n".join(f"{day}: {reason}" for day, reason in sorted(refused.items()))
            + "\nhint: the other days are done; mend these upstream and materialize them again",
            allow_retries=False,
        )
    return dg.MaterializeResult()


@dg.asset(
    **about(tables.ON_TIME_REPORT),
    deps=[keys.CURATED_FLIGHTS, keys.RAW_AIRLINES],
    pool=POOL,
)
def on_time_report(
    context: dg.AssetExecutionContext, house: LakehouseResource
) -> dg.MaterializeResult:
    with step_boundary(table=str(tables.ON_TIME_REPORT.table)), house.open() as lake:
        written = lake.pipeline.build_whole(
            tables.ON_TIME_REPORT, reads=graph.REPORT_READS, run=run_mark(context.run)
        )
        return record_whole(context, written)


@dg.asset(
    **about(tables.VALIDATION),
    deps=[keys.ON_TIME_REPORT, keys.ROUTE_DAY, keys.CARRIER_DAY],
    pool=POOL,
)
def validation(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    from dp_assets.usecases.reconciling import reconcile, rows_of

    with step_boundary(table=str(tables.VALIDATION.table)), house.open() as lake:
        results = reconcile(lake)
        written = lake.pipeline.replace_whole(
            tables.VALIDATION, rows_of(results), run=run_mark(context.run)
        )
    missed = [
        f"{r.name}: {r.observed}, expected {r.expected} ({r.detail})"
        for r in results
        if not r.passed
    ]
    if missed:
        raise dg.Failure(
            description="\n".join(missed) + "\nhint: the layers disagree; see analytics.validation",
            allow_retries=False,
        )
    found = "\n".join(f"- {r.name}: {r.observed}" for r in results)
    return record_whole(context, written, {"all_passed": dg.MetadataValue.md(found)})
