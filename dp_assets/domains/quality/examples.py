"""The failing rows that a person is shown: keys first, values that JSON can hold."""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import polars as pl

from dp_assets.domains.quality.outcomes import MAX_ISSUES
from dp_assets.domains.quality.verdict import Scalar


def examples(
    frame: pl.DataFrame, positions: pl.Series, *, keys: Sequence[str], columns: Sequence[str]
) -> tuple[Mapping[str, Scalar], ...]:
    """Up to ten of the rows at ``positions``, lowest keys first: the same ones every time.

    Args:
        frame: the rows judged; a key column that did not fit its declaration may be absent.
        positions: row numbers in ``frame``.
        keys: shown first.
        columns: what the check read, shown after the keys.
    """
    if not len(positions):
        return ()
    shown = list(dict.fromkeys(c for c in (*keys, *columns) if c in frame.columns))
    failing = frame.select(shown)[positions]
    lowest = failing.sort([c for c in keys if c in shown] or shown, maintain_order=True)
    return tuple(
        {name: to_scalar(value) for name, value in row.items()}
        for row in lowest.head(MAX_ISSUES).iter_rows(named=True)
    )


def to_scalar(value: object) -> Scalar:
    """A value as JSON holds it: dates and UTC times as ISO text, NaN and infinity as null."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)
