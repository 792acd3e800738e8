"""From counts to outcomes: what passed, what is tolerated, and how it is told to a person."""

from collections.abc import Mapping, Sequence

from dp_assets.domains.quality.contract import HAS_ROWS, SCHEMA
from dp_assets.domains.quality.verdict import CheckOutcome, Scalar, Severity

MAX_ISSUES = 10


def schema_outcome(differences: Mapping[str, str], *, total_rows: int) -> CheckOutcome:
    """The columns are exactly the declared ones; any difference concerns every row."""
    return CheckOutcome(
        check=SCHEMA,
        passed=not differences,
        severity=Severity.ERROR,
        failing_rows=total_rows if differences else 0,
        total_rows=total_rows,
        observed="; ".join(f"{c} {how}" for c, how in differences.items()) or "as declared",
        allowed="the declared columns and types",
        issues=tuple(
            {"column": c, "difference": how} for c, how in list(differences.items())[:MAX_ISSUES]
        ),
    )


def has_rows_outcome(rows: int, *, when_empty: Severity) -> CheckOutcome:
    """Something arrived at all; without rows every other check would pass."""
    return CheckOutcome(
        check=HAS_ROWS,
        passed=rows > 0,
        severity=when_empty,
        failing_rows=0,
        total_rows=rows,
        observed=_rows(rows),
        allowed="at least 1 row",
    )


def unmeasured_outcome(check: str, reason: str, *, total_rows: int) -> CheckOutcome:
    """A check whose columns are not there; that refuses the rows as if all had failed it."""
    return CheckOutcome(
        check=check,
        passed=False,
        severity=Severity.ERROR,
        failing_rows=total_rows,
        total_rows=total_rows,
        observed=f"not measured: {reason}",
        allowed="measured",
    )


def rows_outcome(
    check: str,
    *,
    failing_rows: int,
    total_rows: int,
    tolerance: float | None,
    issues: Sequence[Mapping[str, Scalar]],
) -> CheckOutcome:
    """A check that counted rows: WARN up to the tolerance (a share, inclusive), ERROR above."""
    share = failing_rows / total_rows if total_rows else 0.0
    tolerated = tolerance is not None and share <= tolerance
    return CheckOutcome(
        check=check,
        passed=failing_rows == 0,
        severity=Severity.WARN if failing_rows and tolerated else Severity.ERROR,
        failing_rows=failing_rows,
        total_rows=total_rows,
        observed=f"{_rows(failing_rows)} ({_percent(share)}) of {total_rows}",
        allowed="none" if tolerance is None else _percent(tolerance),
        issues=tuple(issues),
    )


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _percent(share: float) -> str:
    return "<0.01 %" if 0 < share < 0.0001 else f"{share:.2%}".replace("%", " %")
