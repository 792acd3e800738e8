"""Checks that a contract cannot state alone: they need the clock, the days asked, other tables."""

# pandera is annotated only in part, pyarrow not at all.
# pyright: reportMissingTypeStubs=false, reportUnknownParameterType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

from collections.abc import Mapping
from datetime import date

import polars as pl
import pyarrow as pa
from pandera.polars import Check

from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.core.units import utc
from dp_assets.domains.quality.contract import (
    Contract,
    Reference,
    in_partition,
    known,
    not_in_future,
)
from dp_assets.domains.quality.declare import rule


def conditions(
    contract: Contract,
    *,
    days: Mapping[str, date] | None,
    now_ms: int,
    references: Mapping[TableId, pa.Table],
) -> list[Check]:
    """The contract's checks on days, clock and references as pandera checks.

    Raises:
        PermanentError: a table that is referred to was not given, or lacks the column.
    """
    checks: list[Check] = []
    if contract.day_column and days is not None:
        belongs = pl.col(contract.day_column).is_in(list(days.values())).fill_null(value=False)
        checks.append(rule(in_partition(contract.day_column), belongs))
    checks += [_past(contract, column, now_ms) for column in contract.past_columns]
    for column, reference in contract.references.items():
        values = _known_values(contract, column, reference, references)
        checks.append(rule(known(column), pl.col(column).is_in(values.implode())))
    return checks


def _past(contract: Contract, column: str, now_ms: int) -> Check:
    is_date = contract.schema.columns[column].dtype.type == pl.Date
    latest = utc(now_ms).date() if is_date else utc(now_ms)
    return rule(not_in_future(column), pl.col(column) <= pl.lit(latest))


def _known_values(
    contract: Contract, column: str, reference: Reference, given: Mapping[TableId, pa.Table]
) -> pl.Series:
    table = given.get(reference.table)
    if table is None or reference.column not in table.column_names:
        lacking = "rows" if table is None else f"column {reference.column}"
        raise PermanentError(
            f"check {known(column)} of {contract.table} could not run: "
            f"{reference.table} came without {lacking}",
            hint=f"materialize {reference.table} first; a check that cannot run is not a pass",
        )
    return pl.Series(reference.column, table.column(reference.column)).unique()
