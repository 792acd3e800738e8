"""Checks on operations, a result per table: its own commits against what they began from.

Which check an operation has is in `domains/maintenance/operation_checks.py`.
"""

from collections.abc import Iterator, Mapping

import dagster as dg

from dp_assets import keys
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError
from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.operation_checks import CHECKS, Judged, OperationCheck
from dp_assets.failures import step_boundary
from dp_assets.orchestration.operations import KEYS
from dp_assets.orchestration.recovery import listed
from dp_assets.orchestration.resources import LakehouseResource
from dp_assets.ports.maintenance import Operation

DESCRIPTIONS: Mapping[OperationCheck, str] = {
    OperationCheck.ROWS: "Each commit of the operation left as many rows as it found, deletes "
    "applied. Counted again from the files.",
    OperationCheck.REFS: "Each branch and tag is where it was before, with its snapshot; an expiry "
    "takes only those past their own age.",
    OperationCheck.CLOSURE: "Every file that any snapshot of the table names is there in its size, "
    "and none of them is in the trash.",
    OperationCheck.SMALL_FILES: "Small files became fewer in every partition that was touched.",
    OperationCheck.MEMORY: "The work took no more than `memory_mib` of the table's policy, on "
    "top of what its process had.",
    OperationCheck.NOT_REFUSED: "It was done, or there was nothing to do. What was refused is a "
    "warning with the reason: nothing was done.",
}


@dg.definitions
def checks() -> dg.Definitions:
    """All of them, blocking and partitioned by table."""
    return dg.Definitions(asset_checks=operation_checks())


def operation_checks() -> list[dg.AssetChecksDefinition]:
    """The checks of each operation, together in one step: what was done is looked for once."""
    return [_checks(operation) for operation in CHECKS]


def _checks(operation: Operation) -> dg.AssetChecksDefinition:
    key = KEYS[operation]

    @dg.multi_asset_check(
        name=f"{operation}_checks",
        specs=[_spec(key, check) for check in CHECKS[operation]],
        can_subset=True,
    )
    def checks_of_operation(
        context: dg.AssetCheckExecutionContext, house: LakehouseResource
    ) -> Iterator[dg.AssetCheckResult]:
        from dp_assets.adapters.pyiceberg_inventory import list_pointers
        from dp_assets.domains.lake.naming import find_table
        from dp_assets.usecases.maintenance.checking import JUDGES
        from dp_assets.usecases.maintenance.own_work import find_work

        asked = {one.name for one in context.selected_asset_check_keys}
        problems: list[LakeError] = []
        with step_boundary(), house.open() as lake:
            name = _partition(context, key)
            table = find_table(name, list_pointers(lake.catalog))
            run_id = _made_by(context.instance, key, name)
            work = find_work(lake, table, operation, run_id=run_id, now_ms=now_ms())
            for check in CHECKS[operation]:
                if check in asked:
                    try:
                        yield _result(key, check, JUDGES[check](work))
                    except LakeError as error:  # the others can be answered nevertheless
                        problems.append(error)
            for problem in problems:
                raise problem

    return checks_of_operation


def _spec(key: dg.AssetKey, check: OperationCheck) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        str(check),
        asset=key,
        description=DESCRIPTIONS[check],
        partitions_def=keys.TABLES,
        blocking=True,
    )


def _result(key: dg.AssetKey, check: OperationCheck, found: Judged) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity.WARN if found.is_warning else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=str(check),
        passed=found.passed,
        severity=severity,
        description=found.said,
        metadata={"findings": listed(list(found.findings))} if found.findings else {},
    )


def _partition(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> str:
    """The table; Dagster's page can also run a check without one."""
    op = context.op_execution_context
    if not op.has_partition_key:
        raise ConfigurationError(
            f"a check of {key.to_user_string()} is asked about no table",
            hint="materialize a partition of the asset: its checks come along",
        )
    return op.partition_key


def _made_by(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str) -> str:
    """The run that last did the operation to the table; a check by itself is about that one."""
    records = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition])
    found = instance.fetch_materializations(records, limit=1).records
    if not found:
        raise PermanentError(
            f"{key.to_user_string()} was never done to {partition}", hint="materialize it first"
        )
    return found[0].run_id
