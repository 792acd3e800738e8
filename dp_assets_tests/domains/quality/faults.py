"""One thing wrong at a time: table, column, its new value on three rows, the checks that refuse."""

from datetime import timedelta

import polars as pl

MINUTE = timedelta(minutes=1)
FAULTS: list[tuple[str, str, pl.Expr, list[str]]] = [
    ("raw.flights", "hour", pl.col("hour") + 1, ["hour_as_reported", "schedule_agrees_with_hour"]),
    ("raw.flights", "day", pl.lit(31), ["dated_as_reported"]),
    ("raw.flights", "time_hour", pl.col("time_hour") + MINUTE, ["hour_as_reported"]),
    ("raw.flights", "origin", pl.lit("BOS"), ["origin_accepted"]),
    ("raw.flights", "dest", pl.col("origin"), ["origin_is_not_dest"]),
    ("raw.flights", "carrier", pl.lit("ZZ"), ["carrier_known"]),
    ("raw.flights", "distance", pl.lit(-5), ["distance_in_range"]),
    ("raw.flights", "sched_arr_time", pl.lit(1260), ["sched_arr_time_is_clock_time"]),
    ("raw.flights", "dep_time", pl.lit(None), ["cancelled_has_no_times"]),
    ("raw.flights", "dep_delay", pl.lit(None), ["departed_has_delay"]),
    ("raw.flights", "tailnum", pl.lit(None), ["departed_has_tailnum"]),
    ("raw.flights", "arr_time", pl.lit(None), ["arrived_has_time"]),
    ("raw.flights", "air_time", pl.lit(None), ["arrived_has_air_time"]),
    ("raw.flights", "air_time", pl.lit(0), ["air_time_in_range"]),
    ("raw.weather", "month", pl.lit(3), ["dated_as_reported"]),
    ("raw.weather", "hour", 23 - pl.col("hour"), ["hour_as_reported"]),
    ("raw.weather", "dewp", pl.col("temp") + 1, ["dew_point_below_temp"]),
    ("raw.weather", "humid", pl.lit(100.5), ["humid_in_range"]),
    ("raw.weather", "precip", pl.lit(-0.1), ["precip_in_range"]),
    ("raw.weather", "visib", pl.lit(float("nan")), ["visib_not_null", "visib_in_range"]),
    ("raw.planes", "type", pl.lit("Balloon"), ["type_accepted"]),
    ("raw.airports", "lat", pl.lit(91.0), ["lat_in_range"]),
    ("raw.airports", "tzone", pl.lit("\\N"), ["tzone_format"]),
    ("raw.airlines", "name", pl.lit(None), ["name_not_null"]),
    ("curated.flights", "cancelled", pl.lit(value=True), ["cancelled_is_not_departed"]),
    ("curated.flights", "diverted", pl.lit(value=True), ["diverted_is_departed_not_arrived"]),
    (
        "curated.flights",
        "actual_departure_utc",
        pl.col("actual_arrival_utc") + MINUTE,
        ["arrival_after_departure", "air_time_fits_block", "departure_is_schedule_and_delay"],
    ),
    ("curated.flights", "arr_delay_min", pl.lit(1), ["arrival_is_schedule_and_delay"]),
    (
        "curated.flights",
        "arr_delay_min",
        pl.lit(None),
        ["arrived_has_delay", "arrival_is_schedule_and_delay"],
    ),
    (
        "curated.flights",
        "dep_delay_min",
        pl.lit(None),
        ["departed_has_delay", "departure_is_schedule_and_delay"],
    ),
    ("curated.flights", "air_time_min", pl.lit(None), ["arrived_has_air_time"]),
    (
        "curated.flights",
        "actual_departure_utc",
        pl.lit(None),
        [
            "arrived_is_departed",
            "cancelled_is_not_departed",
            "departed_has_delay",
            "departure_is_schedule_and_delay",
        ],
    ),
    ("curated.flights", "air_time_min", pl.lit(1000), ["air_time_fits_block"]),
    (
        "curated.flights",
        "scheduled_departure_utc",
        pl.col("scheduled_departure_utc") - timedelta(days=1),
        [
            "scheduled_block_plausible",
            "departure_is_schedule_and_delay",
            "departs_on_its_day",
            "weather_is_of_the_hour",
        ],
    ),
    ("curated.flights", "scheduled_hour_local", pl.lit(0), ["departs_in_its_hour"]),
    ("curated.flights", "carrier_name", pl.lit(None), ["carrier_name_not_null"]),
    (
        "curated.flights",
        "weather_hour_utc",
        pl.col("weather_hour_utc") + timedelta(hours=1),
        ["weather_is_of_the_hour"],
    ),
    (
        "features.route_day",
        "on_time_share",
        pl.lit(1.01),
        ["on_time_share_in_range", "on_time_share_is_quotient"],
    ),
    (
        "features.route_day",
        "on_time_share",
        pl.col("on_time_share") / 2,
        ["on_time_share_is_quotient"],
    ),
    ("features.route_day", "arr_delay_p50_min", pl.lit(2000.0), ["p50_up_to_p90"]),
    ("features.route_day", "arr_delay_mean_min", pl.lit(None), ["delay_if_arrived"]),
    ("features.route_day", "trailing_7d_days", pl.lit(8), ["trailing_7d_days_in_range"]),
    (
        "features.carrier_day",
        "trailing_7d_days",
        pl.lit(0),
        ["past_flights_if_past", "past_share_if_past"],
    ),
    (
        "features.carrier_day",
        "on_time",
        pl.col("flights") + 1,
        ["on_time_within_arrived", "on_time_share_is_quotient"],
    ),
    ("features.route_day", "dep_delay_mean_min", pl.lit(None), ["delay_if_departed"]),
    ("features.route_day", "arr_delay_p95_min", pl.lit(None), ["quantiles_if_arrived"]),
    ("features.route_day", "arr_delay_p90_min", pl.lit(2000.0), ["p90_up_to_p95"]),
    (
        "features.route_day",
        "trailing_7d_flights",
        pl.lit(0),
        ["trailing_7d_flights_in_range", "past_flights_cover_days"],
    ),
    ("features.route_day", "dest", pl.col("origin"), ["origin_is_not_dest", "key_unique"]),
    ("features.carrier_day", "carrier", pl.lit("ZZ"), ["carrier_known", "key_unique"]),
]


def whole(table: str) -> pl.Expr:
    """Rows on which every planted fault shows: flown, with a past, with their weather."""
    if table == "raw.flights":
        return pl.col("air_time").is_not_null() & (pl.col("hour") < 20)
    if table == "curated.flights":
        there = pl.col("air_time_min", "weather_hour_utc").is_not_null()
        return pl.all_horizontal(there) & (pl.col("arr_delay_min") != 1)
    if table.startswith("features."):
        return (
            (pl.col("on_time") > 0)
            & (pl.col("trailing_7d_days") > 0)
            & (pl.col("trailing_7d_flights") > 8)
        )
    return pl.lit(value=True)
