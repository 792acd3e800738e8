"""Faults put into rows, and what a verdict says about them."""

import polars as pl

from dp_assets.domains.quality.verdict import CheckOutcome, Verdict

CHECKS = [
    "schema",
    "has_rows",
    "day_in_partition",
    "day_not_null",
    "trip_not_null",
    "kind_not_null",
    "kind_accepted",
    "kind_format",
    "minutes_in_range",
    "speed_not_null",
    "speed_in_range",
    "key_unique",
    "tram_is_short",
    "day_not_in_future",
    "started_not_in_future",
    "city_known",
]


def put(frame: pl.DataFrame, column: str, value: object, positions: range) -> pl.DataFrame:
    """The frame with ``value`` in ``column`` at ``positions``; types stay."""
    at = pl.int_range(pl.len()).is_in(list(positions))
    planted = pl.lit(value, dtype=frame.schema[column])
    return frame.with_columns(pl.when(at).then(planted).otherwise(pl.col(column)).alias(column))


def found(verdict: Verdict) -> dict[str, tuple[int, str]]:
    """Check -> (failing rows, severity) of what did not pass."""
    return {o.check: (o.failing_rows, str(o.severity)) for o in verdict.outcomes if not o.passed}


def outcome(verdict: Verdict, check: str) -> CheckOutcome:
    return next(o for o in verdict.outcomes if o.check == check)
