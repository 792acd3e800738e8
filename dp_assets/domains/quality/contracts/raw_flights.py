"""``raw.flights``. Tolerances: the worst day of 2013 in brackets, with room for a worse one."""

import polars as pl
from pandera.polars import Check

from dp_assets.domains.pipeline.raw_tables import (
    RAW_AIRLINES,
    RAW_AIRPORTS,
    RAW_FLIGHTS,
    RAW_PLANES,
)
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.contracts.nyc import (
    AIRPORTS,
    DELAY_MINUTES,
    dated_as_reported,
    hour_as_reported,
)
from dp_assets.domains.quality.declare import (
    accepted,
    clock_time,
    in_range,
    matches,
    rule,
    same,
    schema_of,
)


def contract() -> Contract:
    """Every scheduled flight, cancelled ones included."""
    schema = schema_of(
        RAW_FLIGHTS,
        not_null=(
            *("year", "month", "day", "sched_dep_time", "sched_arr_time", "dest"),
            *("distance", "hour", "minute", "time_hour"),
        ),
        values={
            "carrier": [matches("carrier", "[0-9A-Z]{2}")],
            "flight": [in_range("flight", 1, 9999)],
            "origin": [accepted("origin", AIRPORTS)],
            "dest": [matches("dest", "[0-9A-Z]{3}")],
            "tailnum": [matches("tailnum", "N[0-9A-Z]{1,5}")],
            "dep_delay": [in_range("dep_delay", *DELAY_MINUTES)],
            "arr_delay": [in_range("arr_delay", *DELAY_MINUTES)],
            "air_time": [in_range("air_time", 1, 1440)],
            "distance": [in_range("distance", 1, 10_000)],
        },
        rules=_rules(),
    )
    return Contract(
        table=RAW_FLIGHTS.table,
        schema=schema,
        key_columns=RAW_FLIGHTS.key_columns,
        day_column=RAW_FLIGHTS.day_column,
        past_columns=("flight_date",),
        references={
            "carrier": Reference(RAW_AIRLINES.table, "carrier"),
            "origin": Reference(RAW_AIRPORTS.table, "faa"),
            "dest": Reference(RAW_AIRPORTS.table, "faa"),
            "tailnum": Reference(RAW_PLANES.table, "tailnum"),
        },
        tolerances={
            "tailnum_known": 0.30,  # 17.7 %: MQ and AA report fleet numbers
            "dest_known": 0.10,  # 3.9 %: Puerto Rico and the Virgin Islands are not listed
            "departed_has_arrived": 0.10,  # 3.7 %: diverted in thunderstorms
            "tailnum_format": 0.01,  # 0.1 %: four rows of the year, e.g. D942DN
        },
    )


def _rules() -> tuple[Check, ...]:
    """What the columns of one flight say about each other."""
    cancelled = pl.col("dep_time").is_null()
    no_times = pl.all_horizontal(pl.col("dep_delay", "arr_time", "arr_delay", "air_time").is_null())
    arrived = pl.col("arr_delay").is_not_null()
    scheduled = pl.col("hour") * 100 + pl.col("minute")
    return (
        *map(clock_time, ("dep_time", "sched_dep_time", "arr_time", "sched_arr_time")),
        dated_as_reported("flight_date"),
        hour_as_reported("flight_date"),
        same("schedule_agrees_with_hour", pl.col("sched_dep_time"), scheduled),
        rule("origin_is_not_dest", pl.col("origin") != pl.col("dest")),
        rule("cancelled_has_no_times", ~cancelled | no_times),
        rule("departed_has_delay", cancelled | pl.col("dep_delay").is_not_null()),
        rule("departed_has_tailnum", cancelled | pl.col("tailnum").is_not_null()),
        rule("departed_has_arrived", cancelled | arrived),
        rule("arrived_has_time", ~arrived | pl.col("arr_time").is_not_null()),
        same("arrived_has_air_time", arrived, pl.col("air_time").is_not_null()),
    )
