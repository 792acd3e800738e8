"""The results table, and verdicts as its rows and as text for people."""

import json
from collections.abc import Mapping, Sequence

from pyiceberg.types import (
    BooleanType,
    LongType,
    StringType,
    TimestamptzType,
)

from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc_ms
from dp_assets.domains.lake.ops_tables import Column, ops_schema
from dp_assets.domains.quality.verdict import CheckOutcome, Scalar, Verdict
from dp_assets.ports.tables import TableSpec

_COLUMNS: Sequence[Column] = (
    ("check_time", TimestamptzType(), True, "When the check was evaluated, UTC."),
    ("table", StringType(), True, "Table judged, namespace.name."),
    ("partition", StringType(), False, "Day judged; null for a table judged whole."),
    ("snapshot_id", LongType(), False, "Snapshot the rows were read from."),
    ("contract", StringType(), True, "Contract the check belongs to: the name of its table."),
    ("check", StringType(), True, "Check within the contract, e.g. tailnum_known."),
    ("severity", StringType(), True, "WARN lets the data through when it fails, ERROR does not."),
    ("passed", BooleanType(), True, "Whether no row broke the rule."),
    ("failing_rows", LongType(), True, "Rows that break the rule, exactly."),
    ("total_rows", LongType(), True, "Rows looked at."),
    ("observed", StringType(), True, "What was found, for people."),
    ("allowed", StringType(), True, "What the contract allows, for people."),
    ("issues", StringType(), True, "Up to ten failing rows, keys first: a JSON array of objects."),
    ("run_id", StringType(), True, "Run that evaluated the check."),
)


DATA_QUALITY_RESULTS = TableSpec(
    table=TableId("ops", "data_quality_results"),
    schema=ops_schema(_COLUMNS),
    comment="Every check of every contract, passed or not: one row per evaluation.",
    key_columns=("run_id", "table", "partition", "check", "check_time"),
    writer="ops/facts",
)


def result_rows(verdict: Verdict, *, run_id: str, checked_at_ms: int) -> list[dict[str, Scalar]]:
    """One row of ``ops.data_quality_results`` per outcome, every value fit for a JSON line.

    Args:
        verdict: failed or not, it is recorded.
        run_id: the run that judged.
        checked_at_ms: Unix epoch, UTC, milliseconds; written as ISO text with milliseconds.
    """
    check_time = iso_utc_ms(checked_at_ms)
    shared: dict[str, Scalar] = {
        "check_time": check_time,
        "table": str(verdict.table),
        "partition": verdict.partition,
        "snapshot_id": verdict.snapshot_id,
        "contract": str(verdict.table),
    }
    return [shared | _of_outcome(outcome) | {"run_id": run_id} for outcome in verdict.outcomes]


def _of_outcome(outcome: CheckOutcome) -> dict[str, Scalar]:
    return {
        "check": outcome.check,
        "severity": outcome.severity.value,
        "passed": outcome.passed,
        "failing_rows": outcome.failing_rows,
        "total_rows": outcome.total_rows,
        "observed": outcome.observed,
        "allowed": outcome.allowed,
        "issues": json.dumps([dict(i) for i in outcome.issues], allow_nan=False),
    }


def describe(verdict: Verdict) -> str:
    """One line for a person; refusals first.

    ``17 of 18 checks passed, 1 warned: tailnum_known 14 rows (1.66 %) of 842, allowed 30.00 %``
    """
    refused = [o for o in verdict.outcomes if o.refuses]
    warned = [o for o in verdict.outcomes if not o.passed and not o.refuses]
    passed = len(verdict.outcomes) - len(refused) - len(warned)
    parts = [f"{passed} of {len(verdict.outcomes)} checks passed"]
    for found, word in ((refused, "refused the rows"), (warned, "warned")):
        if found:
            parts.append(f"{len(found)} {word}: {'; '.join(map(_finding, found))}")
    return ", ".join(parts)


def _finding(outcome: CheckOutcome) -> str:
    return f"{outcome.check} {outcome.observed}, allowed {outcome.allowed}"


def verdict_table(verdict: Verdict) -> tuple[Mapping[str, Scalar], ...]:
    """The outcomes as rows of a table for people, worst first, then as the contract lists them."""

    def rank(outcome: CheckOutcome) -> int:
        return 0 if outcome.refuses else 1 if not outcome.passed else 2

    return tuple(
        {
            "check": o.check,
            "result": ("ERROR", "WARN", "passed")[rank(o)],
            "failing_rows": o.failing_rows,
            "total_rows": o.total_rows,
            "observed": o.observed,
            "allowed": o.allowed,
        }
        for o in sorted(verdict.outcomes, key=rank)
    )
