"""Judges rows by a contract: one verdict per day (or table), every check in it, counted exactly."""

# pandera is annotated only in part, pyarrow not at all.
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import polars as pl
import pyarrow as pa
from pandera.polars import DataFrameSchema

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.quality.conditions import conditions
from dp_assets.domains.quality.contract import Contract, in_partition
from dp_assets.domains.quality.examples import examples
from dp_assets.domains.quality.measure import column_differences, failing_rows
from dp_assets.domains.quality.outcomes import (
    has_rows_outcome,
    rows_outcome,
    schema_outcome,
    unmeasured_outcome,
)
from dp_assets.domains.quality.verdict import CheckOutcome, Verdict


@dataclass(frozen=True, slots=True)
class _Measured:
    """What pandera found in all rows, before it is split by partition.

    Attributes:
        frame: the rows, without the columns that differ from their declaration.
        differences: those columns -> how they differ.
        checks: row check -> the columns it reads.
        failing: row check -> mask of the rows that break it; absent when none does.
    """

    contract: Contract
    frame: pl.DataFrame
    differences: Mapping[str, str]
    checks: Mapping[str, tuple[str, ...]]
    failing: Mapping[str, pl.Series]


def judge(
    contract: Contract,
    rows: pa.Table,
    *,
    partitions: Sequence[str] | None,
    snapshot_id: int | None,
    now_ms: int,
    references: Mapping[TableId, pa.Table],
) -> tuple[Verdict, ...]:
    """Validate ``rows`` with pandera and give one verdict per asked partition, in that order.

    Rows of no asked day belong to nobody, so they are judged with every one: no partition passes
    while they are around. A check whose column is missing or of another type is an ERROR that
    says so.

    Args:
        contract: ``registry.contract_for`` has those of the pipeline.
        rows: everything the snapshot holds for ``partitions``.
        partitions: days such as ``2013-01-02``; None judges all rows as one.
        snapshot_id: what ``rows`` were read from; kept in the verdicts.
        now_ms: the run's clock; nothing may be dated after it.
        references: the tables that the contract refers to; the column referred to is enough.

    Raises:
        ConfigurationError: a partition is not a day, or the table has no days.
        PermanentError: a check could not run; it never passes.
    """
    days = _days(contract, partitions)
    added = conditions(contract, days=days, now_ms=now_ms, references=references)
    schema = DataFrameSchema(
        contract.schema.columns,
        checks=[*(contract.schema.checks or ()), *added],
        name=str(contract.table),
    )
    frame = cast("pl.DataFrame", pl.from_arrow(rows))
    differences = column_differences(contract.schema, frame)
    intact = frame.select(c for c in frame.columns if c not in differences)
    checks = dict(contract.row_checks())
    if days is None and contract.day_column:
        del checks[in_partition(contract.day_column)]
    failing = failing_rows(schema, intact)
    measured = _Measured(contract, intact, differences, checks, failing)
    own = _own_rows(measured, days)
    strays = _mask(intact, value=True)
    for mask in own.values():
        strays &= ~mask
    return tuple(
        Verdict(contract.table, partition, snapshot_id, _outcomes(measured, mask, mask | strays))
        for partition, mask in own.items()
    )


def _days(contract: Contract, partitions: Sequence[str] | None) -> Mapping[str, date] | None:
    if partitions is None:
        return None
    if contract.day_column is None:
        raise ConfigurationError(
            f"{contract.table} is judged whole, not by {', '.join(partitions)}",
            hint="ask for it without partitions",
        )
    try:
        return {day: date.fromisoformat(day) for day in partitions}
    except ValueError as error:
        raise ConfigurationError(
            f"a partition of {contract.table} is not a day: {error}",
            hint="write days as 2013-01-02",
        ) from error


def _own_rows(
    measured: _Measured, days: Mapping[str, date] | None
) -> Mapping[str | None, pl.Series]:
    """Partition -> mask of its rows; no rows where the day column is not what was declared."""
    frame, day_column = measured.frame, measured.contract.day_column
    if days is None:
        return {None: _mask(frame, value=True)}
    if day_column not in frame.columns:
        return dict.fromkeys(days, _mask(frame, value=False))
    return {
        name: frame.select(pl.col(day_column).eq_missing(pl.lit(day))).to_series()
        for name, day in days.items()
    }


def _mask(frame: pl.DataFrame, *, value: bool) -> pl.Series:
    return pl.repeat(value, frame.height, dtype=pl.Boolean(), eager=True)


def _outcomes(measured: _Measured, own: pl.Series, judged: pl.Series) -> tuple[CheckOutcome, ...]:
    total_rows = int(judged.sum())
    return (
        schema_outcome(measured.differences, total_rows=total_rows),
        has_rows_outcome(int(own.sum()), when_empty=measured.contract.when_empty),
        *(_row_outcome(measured, check, judged, total_rows) for check in measured.checks),
    )


def _row_outcome(
    measured: _Measured, check: str, judged: pl.Series, total_rows: int
) -> CheckOutcome:
    columns = measured.checks[check]
    lost = [f"{c} {measured.differences[c]}" for c in columns if c in measured.differences]
    if lost:
        return unmeasured_outcome(check, "; ".join(lost), total_rows=total_rows)
    failing = measured.failing.get(check)
    positions = pl.Series([], dtype=pl.UInt32) if failing is None else (failing & judged).arg_true()
    return rows_outcome(
        check,
        failing_rows=len(positions),
        total_rows=total_rows,
        tolerance=measured.contract.tolerances.get(check),
        issues=examples(
            measured.frame, positions, keys=measured.contract.key_columns, columns=columns
        ),
    )
