"""The tables computed from raw ones: curated flights, daily features, the report, validation.

A flight is on time when it arrives less than 15 minutes after its schedule. Source: BTS, "A
flight is counted as on time if it operated less than 15 minutes later than the scheduled time",
arrival at the gate. Shares are of all scheduled flights, so that a cancelled or diverted flight is
never on time; delays are of the flights that arrived.
"""

from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.columns import (
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIMESTAMP,
    Column,
    schema,
)
from dp_assets.ports.tables import TableSpec

CURATED_FLIGHTS = TableSpec(
    table=TableId("curated", "flights"),
    comment="One row per raw flight: times in UTC, with its weather, aircraft and airports.",
    key_columns=("flight_date", "carrier", "flight", "origin"),
    day_column="flight_date",
    writer="curated/flights",
    schema=schema(
        ("flight_date", DATE, "Local date of the scheduled departure."),
        ("carrier", STRING, "Two-character airline code."),
        ("flight", INTEGER, "Flight number, unique per carrier, origin and day only."),
        ("origin", STRING, "FAA code of the airport of departure."),
        ("dest", STRING, "FAA code of the destination."),
        ("tailnum", STRING, "Tail number; null for some cancelled flights."),
        ("carrier_name", STRING, "Name of the airline; null: not in raw.airlines."),
        ("scheduled_departure_utc", TIMESTAMP, "Departure by schedule."),
        ("actual_departure_utc", TIMESTAMP, "Schedule plus delay; null: cancelled."),
        ("scheduled_arrival_utc", TIMESTAMP, "Arrival by schedule, the first after departure."),
        ("actual_arrival_utc", TIMESTAMP, "Schedule plus delay; null: cancelled or diverted."),
        ("dep_delay_min", INTEGER, "Departure delay in minutes; negative: early."),
        ("arr_delay_min", INTEGER, "Arrival delay in minutes; null: cancelled or diverted."),
        ("air_time_min", INTEGER, "Minutes in the air; null: cancelled or diverted."),
        ("distance_miles", INTEGER, "Distance between the airports in miles."),
        ("scheduled_hour_local", INTEGER, "Hour of the scheduled departure, local, 0 to 23."),
        ("cancelled", BOOLEAN, "Never departed: the source has no departure time."),
        ("diverted", BOOLEAN, "Departed, and no arrival at the destination was reported."),
        ("origin_name", STRING, "Name of the airport of departure."),
        ("origin_tz", STRING, "IANA time zone of the airport of departure."),
        ("dest_name", STRING, "Name of the destination; null: not in raw.airports."),
        ("dest_tz", STRING, "IANA time zone of the destination."),
        ("dest_lat", DOUBLE, "Latitude of the destination; null: not in raw.airports."),
        ("dest_lon", DOUBLE, "Longitude of the destination; null: not in raw.airports."),
        ("plane_year", INTEGER, "Year the aircraft was made; null: unknown."),
        ("plane_manufacturer", STRING, "Who made the aircraft; null: not in raw.planes."),
        ("plane_model", STRING, "Model of the aircraft; null: not in raw.planes."),
        ("plane_seats", INTEGER, "Seats of the aircraft; null: not in raw.planes."),
        ("weather_hour_utc", TIMESTAMP, "Hour of the weather joined; null: none was observed."),
        ("temp_f", DOUBLE, "Temperature at the origin in degrees Fahrenheit."),
        ("humid_pct", DOUBLE, "Relative humidity at the origin in per cent."),
        ("wind_dir_deg", INTEGER, "Wind direction at the origin in degrees."),
        ("wind_speed_mph", DOUBLE, "Wind speed at the origin in miles per hour."),
        ("wind_gust_mph", DOUBLE, "Gust speed at the origin in miles per hour."),
        ("precip_in", DOUBLE, "Precipitation at the origin in inches."),
        ("pressure_mbar", DOUBLE, "Sea level pressure at the origin in millibars."),
        ("visib_miles", DOUBLE, "Visibility at the origin in miles."),
    ),
)

_COUNTS: tuple[Column, ...] = (
    ("flights", INTEGER, "Scheduled flights."),
    ("cancelled", INTEGER, "Flights that never departed."),
    ("diverted", INTEGER, "Flights that departed and did not arrive at their destination."),
    ("on_time", INTEGER, "Flights that arrived less than 15 minutes late (BTS)."),
    ("on_time_share", DOUBLE, "on_time / flights, 0 to 1."),
    ("dep_delay_mean_min", DOUBLE, "Mean departure delay; null: none departed."),
    ("arr_delay_mean_min", DOUBLE, "Mean arrival delay; null: none arrived."),
    ("arr_delay_p50_min", DOUBLE, "Median arrival delay, interpolated; null: none arrived."),
    ("arr_delay_p90_min", DOUBLE, "90th percentile of arrival delay."),
    ("arr_delay_p95_min", DOUBLE, "95th percentile of arrival delay."),
)

_TRAILING: tuple[Column, ...] = (
    ("trailing_7d_days", INTEGER, "Of the seven days before, how many have flights; 0 to 7."),
    ("trailing_7d_flights", INTEGER, "Flights of those days; null: there are none."),
    ("trailing_7d_on_time_share", DOUBLE, "On-time share of those flights."),
    ("trailing_7d_cancelled_share", DOUBLE, "Cancelled share of those flights."),
    ("trailing_7d_arr_delay_mean_min", DOUBLE, "Mean arrival delay of those that arrived."),
)

ROUTE_DAY = TableSpec(
    table=TableId("features", "route_day"),
    comment="Punctuality per route and day, with the seven days before it.",
    key_columns=("flight_date", "origin", "dest"),
    day_column="flight_date",
    writer="features/route_day",
    schema=schema(
        ("flight_date", DATE, "Local date of the scheduled departure."),
        ("origin", STRING, "FAA code of the airport of departure."),
        ("dest", STRING, "FAA code of the destination."),
        *_COUNTS,
        *_TRAILING,
    ),
)

CARRIER_DAY = TableSpec(
    table=TableId("features", "carrier_day"),
    comment="Punctuality per airline and day, with the seven days before it.",
    key_columns=("flight_date", "carrier"),
    day_column="flight_date",
    writer="features/carrier_day",
    schema=schema(
        ("flight_date", DATE, "Local date of the scheduled departure."),
        ("carrier", STRING, "Two-character airline code."),
        *_COUNTS,
        *_TRAILING,
    ),
)

ON_TIME_REPORT = TableSpec(
    table=TableId("analytics", "on_time_report"),
    comment="Punctuality per month, airline and airport of departure: what the report shows.",
    key_columns=("month", "carrier", "origin"),
    writer="analytics/on_time_report",
    schema=schema(
        ("month", DATE, "First day of the month."),
        ("carrier", STRING, "Two-character airline code."),
        ("origin", STRING, "FAA code of the airport of departure."),
        ("carrier_name", STRING, "Name of the airline; null: not in raw.airlines."),
        ("days", INTEGER, "Days of the month with flights of this airline from here."),
        *_COUNTS,
        ("cancelled_share", DOUBLE, "cancelled / flights, 0 to 1."),
    ),
)

VALIDATION = TableSpec(
    table=TableId("analytics", "validation"),
    comment="Reconciliation between the layers: one row per query, replaced whole.",
    key_columns=("name",),
    writer="analytics/validation",
    schema=schema(
        ("name", STRING, "Name of the query, as of its .sql file."),
        ("expectation", STRING, "What should be so, in words."),
        ("observed", STRING, "What the query found."),
        ("expected", STRING, "What it should have found."),
        ("passed", BOOLEAN, "Whether observed is as expected."),
        ("detail", STRING, "Where it is not so, and which days were left out on purpose."),
    ),
)
