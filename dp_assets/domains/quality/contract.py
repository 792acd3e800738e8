"""A contract: what a table must look like, and how imperfect its rows may be.

Light to import: pandera and polars load with the modules in ``contracts/``, when one is judged.
"""

# pandera is annotated only in part.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.quality.verdict import Severity

if TYPE_CHECKING:
    from pandera.polars import Check, DataFrameSchema

SCHEMA = "schema"
HAS_ROWS = "has_rows"
KEY_UNIQUE = "key_unique"


@dataclass(frozen=True, slots=True)
class Reference:
    """A value must exist in ``column`` of ``table``; NULL refers to nothing and passes."""

    table: TableId
    column: str


@dataclass(frozen=True, slots=True)
class Contract:
    """One table's contract.

    Attributes:
        schema: columns with exact types, nullability, and the checks on values and on rows.
        key_columns: what identifies a row; shown first for a failing row.
        day_column: the date whose days are judged one by one; None for a table judged whole.
        past_columns: dates and timestamps that may not lie after the run's clock.
        references: column of this table -> where its values must exist.
        tolerances: check -> share of the rows (0..1) that may fail it: WARN up to it, ERROR
            above. A check without one is an ERROR at the first row.
        when_empty: severity of a partition (or table) without rows.
    """

    table: TableId
    schema: "DataFrameSchema"
    key_columns: tuple[str, ...]
    day_column: str | None = None
    past_columns: tuple[str, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict[str, Reference])
    tolerances: Mapping[str, float] = field(default_factory=dict[str, float])
    when_empty: Severity = Severity.ERROR

    def row_checks(self) -> Mapping[str, tuple[str, ...]]:
        """Every check that counts rows, in the order of reporting -> the columns it reads."""
        found: dict[str, tuple[str, ...]] = {}
        if self.day_column:
            found[in_partition(self.day_column)] = (self.day_column,)
        for name, column in self.schema.columns.items():
            if not column.nullable:
                found[not_null(name)] = (name,)
            found |= {str(check.name): (name,) for check in column.checks or ()}
        found |= {str(check.name): columns_of(check) for check in self.schema.checks or ()}
        found |= {not_in_future(column): (column,) for column in self.past_columns}
        return found | {known(column): (column,) for column in self.references}


def columns_of(check: "Check") -> tuple[str, ...]:
    """The columns that a check over whole rows reads, as ``declare.rule`` noted them."""
    return tuple((check.statistics or {}).get("columns", ()))


def not_null(column: str) -> str:
    """Name of the check that a column has a value (for floats: one that is a number)."""
    return f"{column}_not_null"


def known(column: str) -> str:
    """Name of the check that a column's values exist in the table it refers to."""
    return f"{column}_known"


def not_in_future(column: str) -> str:
    """Name of the check that a date or time is not after the run's clock."""
    return f"{column}_not_in_future"


def in_partition(column: str) -> str:
    """Name of the check that the rows judged belong to the days that were asked for."""
    return f"{column}_in_partition"


def with_tolerances(contract: Contract, overrides: Mapping[str, float]) -> Contract:
    """The contract with its own entries of ``overrides`` applied.

    Args:
        contract: left as it is.
        overrides: ``raw.flights.dest_known`` -> share, for any number of tables.

    Raises:
        ConfigurationError: a check of this table that does not exist, or a share outside 0..1.
    """
    prefix = f"{contract.table}."
    checks = contract.row_checks()
    own = {k.removeprefix(prefix): v for k, v in overrides.items() if k.startswith(prefix)}
    for check, share in own.items():
        if check not in checks:
            nearest = difflib.get_close_matches(check, checks, n=1) or sorted(checks)[:1]
            raise ConfigurationError(
                f"contract of {contract.table} has no check {check!r} to tolerate failures of",
                hint=f"the nearest one is {prefix}{nearest[0]}",
            )
        if not 0 <= share <= 1:
            raise ConfigurationError(
                f"tolerance of {prefix}{check} is {share}",
                hint="give the share of rows that may fail, from 0 to 1",
            )
    return replace(contract, tolerances={**contract.tolerances, **own})
