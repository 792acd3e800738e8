"""What both daily feature tables promise about their counts, shares and delays."""

import polars as pl
from pandera.polars import Check

from dp_assets.domains.quality.contracts.nyc import DELAY_MINUTES
from dp_assets.domains.quality.declare import in_range, rule, same

COUNTS = ("flights", "cancelled", "diverted", "on_time", "trailing_7d_days")
_SHARES = ("on_time_share", "trailing_7d_on_time_share", "trailing_7d_cancelled_share")
_DELAYS = (
    *("dep_delay_mean_min", "arr_delay_mean_min", "trailing_7d_arr_delay_mean_min"),
    *("arr_delay_p50_min", "arr_delay_p90_min", "arr_delay_p95_min"),
)
_MOST_FLIGHTS = 1_000_000
# Shares are quotients of whole numbers in double precision.
_ROUNDING = 1e-9

VALUES: dict[str, list[Check]] = {
    "flights": [in_range("flights", 1, _MOST_FLIGHTS)],
    **{name: [in_range(name, 0, _MOST_FLIGHTS)] for name in ("cancelled", "diverted", "on_time")},
    "trailing_7d_days": [in_range("trailing_7d_days", 0, 7)],
    "trailing_7d_flights": [in_range("trailing_7d_flights", 1, 7 * _MOST_FLIGHTS)],
    **{name: [in_range(name, 0, 1)] for name in _SHARES},
    **{name: [in_range(name, *DELAY_MINUTES)] for name in _DELAYS},
}


def rules() -> tuple[Check, ...]:
    """Parts do not exceed the whole; a value is there exactly when there is something behind it."""
    flights, on_time = pl.col("flights"), pl.col("on_time")
    arrived = flights - pl.col("cancelled") - pl.col("diverted")
    departed = flights - pl.col("cancelled")
    has_past = pl.col("trailing_7d_days") > 0
    return (
        rule("on_time_within_arrived", on_time <= arrived),
        rule(
            "on_time_share_is_quotient",
            (pl.col("on_time_share") - on_time / flights).abs() <= _ROUNDING,
        ),
        same("delay_if_departed", departed > 0, pl.col("dep_delay_mean_min").is_not_null()),
        same("delay_if_arrived", arrived > 0, pl.col("arr_delay_mean_min").is_not_null()),
        same("quantiles_if_arrived", arrived > 0, pl.col("arr_delay_p95_min").is_not_null()),
        rule("p50_up_to_p90", pl.col("arr_delay_p50_min") <= pl.col("arr_delay_p90_min")),
        rule("p90_up_to_p95", pl.col("arr_delay_p90_min") <= pl.col("arr_delay_p95_min")),
        same("past_flights_if_past", has_past, pl.col("trailing_7d_flights").is_not_null()),
        same("past_share_if_past", has_past, pl.col("trailing_7d_on_time_share").is_not_null()),
        rule(
            "past_flights_cover_days", pl.col("trailing_7d_flights") >= pl.col("trailing_7d_days")
        ),
    )
