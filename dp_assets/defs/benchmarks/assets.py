"""The timed queries on the finished tables."""

import dagster as dg

from dp_assets import keys
from dp_assets.failures import step_boundary
from dp_assets.orchestration.resources import LakehouseResource


@dg.asset(
    key=keys.BENCHMARK_RESULTS,
    deps=[keys.CURATED_FLIGHTS, keys.ON_TIME_REPORT],
    group_name="benchmarks",
    kinds={"duckdb", "iceberg"},
    owners=["team:lakehouse"],
)
def results(context: dg.AssetExecutionContext, house: LakehouseResource) -> dg.MaterializeResult:
    """Five queries on the finished tables: PASS, SLOW or FAIL against the seconds allowed.

    Every run is kept in `ops.benchmark_results`; a run that was interrupted is marked and never
    compared with another.
    """
    from dp_assets.usecases.benchmarking import run_and_keep

    with step_boundary(), house.open() as lake:
        measured = run_and_keep(lake, run_id=context.run.run_id)
    for problem in measured.problems:
        context.log.warning(problem)
    return dg.MaterializeResult(
        metadata={
            "verdicts": dg.MetadataValue.md(measured.markdown),
            "passed": measured.passed,
            "queries": measured.asked,
        }
    )


@dg.asset_check(asset=keys.BENCHMARK_RESULTS, description="At least 80 % of the queries PASS.")
def mostly_pass(
    context: dg.AssetCheckExecutionContext, house: LakehouseResource
) -> dg.AssetCheckResult:
    """Reads the newest complete run back from `ops.benchmark_results`."""
    del context
    from dp_assets.usecases.benchmarking import newest_verdicts

    with step_boundary(), house.open() as lake:
        verdicts = newest_verdicts(lake)
        wanted = lake.settings.benchmarks.pass_share
    passed = sum(verdict == "PASS" for verdict in verdicts.values())
    return dg.AssetCheckResult(
        passed=passed >= wanted * len(verdicts),
        description=f"{passed} of {len(verdicts)} queries PASS, {wanted:.0%} wanted",
        metadata=dict(verdicts),
    )
