"""Maintenance as assets: what is known of every table before anything is done to it."""

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import now_ms
from dp_assets.failures import step_boundary
from dp_assets.orchestration.maintaining import health_observation, worst_table
from dp_assets.orchestration.recovery import listed
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.maintenance import TableHealth


@dg.asset(
    key=keys.HEALTH,
    deps=[keys.INVENTORY],
    group_name="maintenance",
    kinds={"iceberg"},
    owners=["team:lakehouse"],
)
def health(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """What maintenance every table needs, from metadata alone; no data file is opened.

    Only tables whose pointer moved since the last sweep are read. Each of them gets a row in
    `ops.table_health` and an observation on its own page; tables under `ops` at most daily. A
    sweep over an idle lake writes nothing.
    """
    from dp_assets.usecases.maintenance.sweeping import sweep

    with step_boundary(), house.open() as lake:
        done = sweep(
            lake,
            now_ms=now_ms(),
            run_id=context.run.run_id,
            tell=lambda table, found: context.log_event(health_observation(table, found)),
        )
    for problem in done.problems:
        context.log.warning(problem)
    tables = [(t, h) for t, h in done.state.tables.items() if isinstance(h, TableHealth)]
    return dg.MaterializeResult(
        metadata={
            "tables": len(done.state.tables),
            "measured": len(done.plan.measure),
            "unchanged": len(done.plan.unchanged),
            "rows": len(done.news),
            "cannot_be_measured": listed(
                [f"{one.table}: {one.problem}" for one in done.unmeasured]
            ),
            "worst": worst_table(tables),
        }
    )
