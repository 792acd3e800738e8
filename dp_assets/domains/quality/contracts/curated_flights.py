"""``curated.flights``. Tolerances: the worst day of 2013 in brackets, with room for a worse one."""

import polars as pl
from pandera.polars import Check

from dp_assets.domains.pipeline.derived_tables import CURATED_FLIGHTS
from dp_assets.domains.pipeline.raw_tables import RAW_AIRLINES, RAW_AIRPORTS
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.contracts.nyc import AIRPORTS, DELAY_MINUTES, TIME_ZONE
from dp_assets.domains.quality.declare import accepted, in_range, rule, same, schema_of

_LONGEST_BLOCK_MINUTES = 24 * 60


def contract() -> Contract:
    """One row per raw flight: times that agree with each other, dimensions where there are any."""
    schema = schema_of(
        CURATED_FLIGHTS,
        not_null=(
            *("dest", "carrier_name", "scheduled_departure_utc", "scheduled_arrival_utc"),
            *("distance_miles", "scheduled_hour_local", "cancelled", "diverted"),
            *("origin_name", "origin_tz", "dest_tz", "dest_name", "weather_hour_utc"),
        ),
        values={
            "origin": [accepted("origin", AIRPORTS)],
            "dep_delay_min": [in_range("dep_delay_min", *DELAY_MINUTES)],
            "arr_delay_min": [in_range("arr_delay_min", *DELAY_MINUTES)],
            "air_time_min": [in_range("air_time_min", 1, _LONGEST_BLOCK_MINUTES)],
            "distance_miles": [in_range("distance_miles", 1, 10_000)],
            "scheduled_hour_local": [in_range("scheduled_hour_local", 0, 23)],
        },
        rules=(*_state_rules(), *_time_rules(), *_join_rules()),
    )
    return Contract(
        table=CURATED_FLIGHTS.table,
        schema=schema,
        key_columns=CURATED_FLIGHTS.key_columns,
        day_column=CURATED_FLIGHTS.day_column,
        past_columns=("flight_date", "actual_departure_utc", "actual_arrival_utc"),
        references={
            "carrier": Reference(RAW_AIRLINES.table, "carrier"),
            "origin": Reference(RAW_AIRPORTS.table, "faa"),
        },
        tolerances={
            "plane_joined": 0.30,  # 17.7 %: MQ and AA report fleet numbers
            "dest_name_not_null": 0.10,  # 3.9 %: Puerto Rico and the Virgin Islands
            "weather_hour_utc_not_null": 1.0,  # all of 2013-12-31, which has no weather
        },
    )


def _state_rules() -> tuple[Check, ...]:
    """A flight is cancelled, diverted or arrived, and has the values of its state."""
    cancelled, diverted = pl.col("cancelled"), pl.col("diverted")
    departed = pl.col("actual_departure_utc").is_not_null()
    arrived = pl.col("actual_arrival_utc").is_not_null()
    return (
        same("cancelled_is_not_departed", cancelled, ~departed),
        same("diverted_is_departed_not_arrived", diverted, departed & ~arrived),
        rule("arrived_is_departed", ~arrived | departed),
        same("departed_has_delay", departed, pl.col("dep_delay_min").is_not_null()),
        same("arrived_has_delay", arrived, pl.col("arr_delay_min").is_not_null()),
        same("arrived_has_air_time", arrived, pl.col("air_time_min").is_not_null()),
    )


def _time_rules() -> tuple[Check, ...]:
    """UTC times in order and in agreement with the delays and with the local day and hour."""
    departure, arrival = pl.col("scheduled_departure_utc"), pl.col("scheduled_arrival_utc")
    left, landed = pl.col("actual_departure_utc"), pl.col("actual_arrival_utc")
    local = departure.dt.convert_time_zone(TIME_ZONE).dt
    block_minutes = (arrival - departure).dt.total_minutes()
    return (
        rule("scheduled_block_plausible", block_minutes.is_between(1, _LONGEST_BLOCK_MINUTES)),
        rule("arrival_after_departure", landed > left),
        rule(
            "air_time_fits_block",
            pl.col("air_time_min") <= (landed - left).dt.total_minutes(),
        ),
        same("departure_is_schedule_and_delay", left, departure + _minutes("dep_delay_min")),
        same("arrival_is_schedule_and_delay", landed, arrival + _minutes("arr_delay_min")),
        rule("departs_on_its_day", local.date() == pl.col("flight_date")),
        rule("departs_in_its_hour", local.hour() == pl.col("scheduled_hour_local")),
    )


def _join_rules() -> tuple[Check, ...]:
    """Dimensions are those of the row; a missing one is null, and counted."""
    hour = pl.col("scheduled_departure_utc").dt.truncate("1h")
    return (
        rule("weather_is_of_the_hour", pl.col("weather_hour_utc") == hour),
        rule("plane_joined", pl.col("tailnum").is_null() | pl.col("plane_model").is_not_null()),
    )


def _minutes(column: str) -> pl.Expr:
    return pl.duration(minutes=pl.col(column))
