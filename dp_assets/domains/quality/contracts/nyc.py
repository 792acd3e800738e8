"""What the flights and the weather of New York City have in common."""

import polars as pl
from pandera.polars import Check

from dp_assets.domains.quality.declare import rule

AIRPORTS = ("EWR", "JFK", "LGA")
TIME_ZONE = "America/New_York"
# Two days late is still a flight; four hours early is not.
DELAY_MINUTES = (-240, 2880)


def dated_as_reported(day_column: str) -> Check:
    """The day that we partition by is the source's year, month and day."""
    day = pl.col(day_column).dt
    return rule(
        "dated_as_reported",
        (day.year() == pl.col("year"))
        & (day.month() == pl.col("month"))
        & (day.day() == pl.col("day")),
    )


def hour_as_reported(day_column: str) -> Check:
    """``time_hour`` is a full hour: that of the source's local day and hour, in UTC."""
    local = pl.col("time_hour").dt.convert_time_zone(TIME_ZONE).dt
    return rule(
        "hour_as_reported",
        (local.date() == pl.col(day_column))
        & (local.hour() == pl.col("hour"))
        & (local.minute() == 0),
    )
