"""The policy of one table: what applies, and who said so.

Key by key, the first that says something wins: the table's property ``dp.maintenance.*``, the
globs of `lakehouse.yaml` from the most specific on, the workload, the default. Of retention, what
Iceberg itself lets a table say (``history.expire.*``) comes before all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, MIB, MINUTE_MS
from dp_assets.domains.maintenance.conditions import Condition, parse_condition
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.domains.maintenance.rules import TableRules
from dp_assets.domains.maintenance.said import ENABLED, Said, Sources, sources
from dp_assets.domains.maintenance.sizing import target_bytes
from dp_assets.domains.maintenance.windows import Window, parse_window
from dp_assets.domains.maintenance.workload import Workload
from dp_assets.ports.maintenance import Operation


@dataclass(frozen=True, slots=True)
class OperationPolicy:
    """When one operation is done to one table, and within what bounds.

    Attributes:
        problem: a property that cannot be understood; then the operation is not run.
        said: every key, for people.
    """

    operation: Operation
    enabled: bool
    when: Condition
    window: Window
    min_interval_ms: int
    timeout_ms: int
    memory_bytes: int
    problem: str
    said: tuple[Said, ...]

    def key(self, name: str) -> Said:
        """One key as it was said."""
        return next(said for said in self.said if said.key == name)


@dataclass(frozen=True, slots=True)
class TablePolicy:
    """Everything that applies to one table.

    Attributes:
        retention: a snapshot is let go when it is older and not among the newest.
        target_bytes: of a data file; None: by the size of its partition.
        min_inputs: small files of a partition that are worth rewriting.
        orphan_age_ms: younger files may be a writer's that is still at work.
    """

    table: TableId
    workload: Workload
    operations: Mapping[Operation, OperationPolicy]
    retention: Retention
    target_bytes: int | None
    min_inputs: int
    orphan_age_ms: int

    def target(self, partition_bytes: int) -> int:
        """Bytes that a data file of a partition of that size should have."""
        return self.target_bytes or target_bytes(partition_bytes)


def policy_of(
    table: TableId,
    *,
    rules: Mapping[str, TableRules],
    properties: Mapping[str, str],
    workload: Workload,
) -> TablePolicy:
    """What applies to ``table``: ``rules`` by glob over ``namespace.table``, its ``properties``.

    Raises:
        ConfigurationError: two globs are equally specific and contradict each other.
    """
    found = sources(table, rules=rules, properties=properties, workload=workload)
    operations = {operation: _operation(operation, found) for operation in Operation}
    values = {
        said.key: said.value for policy in operations.values() for said in policy.said
    }  # the keys below belong to one operation each
    target = values["target_mib"]
    return TablePolicy(
        table=table,
        workload=workload,
        operations=operations,
        retention=Retention(
            max_age_ms=round(cast("float", values["keep_days"]) * DAY_MS),
            min_snapshots=_whole(values["keep_snapshots"]),
        ),
        target_bytes=None if target == "auto" else _whole(target) * MIB,
        min_inputs=_whole(values["min_inputs"]),
        orphan_age_ms=_whole(values["older_than_hours"]) * HOUR_MS,
    )


def _operation(operation: Operation, found: Sources) -> OperationPolicy:
    said = found.of(operation)
    whole = found.enabled()
    if not whole.value:
        said = tuple(whole if one.key == ENABLED else one for one in said)
    values = {one.key: one.value for one in said}
    return OperationPolicy(
        operation=operation,
        enabled=bool(values[ENABLED]),
        when=parse_condition(str(values["when"])),
        window=parse_window(str(values["window"])),
        min_interval_ms=_whole(values["min_interval_hours"]) * HOUR_MS,
        timeout_ms=_whole(values["timeout_minutes"]) * MINUTE_MS,
        memory_bytes=_whole(values["memory_mib"]) * MIB,
        problem="; ".join(found.problems(operation)),
        said=said,
    )


def _whole(value: object) -> int:
    """A value that its rule has made a whole number."""
    return cast("int", value)
