"""Checks on maintenance. They list the catalog and read the lake again."""

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import now_ms
from dp_assets.failures import step_boundary
from dp_assets.orchestration.recovery import listed
from dp_assets.orchestration.resources import LakehouseResource


@dg.asset_check(asset=keys.HEALTH)
def every_table_measured(house: LakehouseResource) -> dg.AssetCheckResult:
    """Every table of the catalog was measured; those that cannot be are named with the reason.

    A table that appeared or moved since the sweep is a warning: the next sweep is due.
    """
    from dp_assets.usecases.maintenance.judging import coverage

    with step_boundary(), house.open() as lake:
        found = coverage(lake, now_ms=now_ms())
    error = bool(found.unmeasured)
    return dg.AssetCheckResult(
        passed=not (found.unmeasured or found.waiting),
        severity=dg.AssetCheckSeverity.ERROR if error else dg.AssetCheckSeverity.WARN,
        description=f"{found.tables:,} tables: {len(found.unmeasured)} cannot be measured, "
        f"{len(found.waiting)} moved since the sweep",
        metadata={
            "cannot_be_measured": listed([f"{u.table}: {u.problem}" for u in found.unmeasured]),
            "moved": listed([str(table) for table in found.waiting]),
        },
    )


@dg.asset_check(asset=keys.HEALTH)
def none_needs_maintenance(house: LakehouseResource) -> dg.AssetCheckResult:
    """No table is over a limit; the worst are measured again and named with their causes."""
    from dp_assets.usecases.maintenance.judging import worst_tables

    with step_boundary(), house.open() as lake:
        found = worst_tables(lake, now_ms=now_ms())
    lines = [f"{one.table}: {'; '.join(one.causes)}" for one in found.worst]
    names = ", ".join(str(one.table) for one in found.worst)
    over = f"{found.over:,} of {found.tables:,} tables need maintenance, worst first: {names}"
    return dg.AssetCheckResult(
        passed=not found.over,
        severity=dg.AssetCheckSeverity.WARN,
        description=over if found.over else f"none of {found.tables:,} tables needs maintenance",
        metadata={"over": found.over, "worst": listed(lines)},
    )
