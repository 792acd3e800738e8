"""``raw.weather``. Tolerances: the worst day of 2013 in brackets, with room for a worse one."""

import polars as pl

from dp_assets.domains.pipeline.raw_tables import RAW_AIRPORTS, RAW_WEATHER
from dp_assets.domains.quality.contract import Contract, Reference
from dp_assets.domains.quality.contracts.nyc import AIRPORTS, dated_as_reported, hour_as_reported
from dp_assets.domains.quality.declare import accepted, in_range, rule, schema_of
from dp_assets.domains.quality.verdict import Severity

# Wider than any record of the region, in the units of the column.
_RANGES: dict[str, tuple[float, float]] = {
    "hour": (0, 23),
    "temp": (-40, 120),
    "dewp": (-60, 100),
    "humid": (0, 100),
    "wind_dir": (0, 360),
    "wind_speed": (0, 150),
    "wind_gust": (0, 200),
    "precip": (0, 10),
    "pressure": (900, 1100),
    "visib": (0, 10),
}


def contract() -> Contract:
    """Hourly observations. Wind direction, gusts and pressure are often not reported."""
    schema = schema_of(
        RAW_WEATHER,
        not_null=(
            *("year", "month", "day", "hour", "temp", "dewp", "humid"),
            *("wind_speed", "precip", "visib"),
        ),
        values={
            "origin": [accepted("origin", AIRPORTS)],
            **{column: [in_range(column, *limits)] for column, limits in _RANGES.items()},
        },
        rules=(
            dated_as_reported("observed_date"),
            hour_as_reported("observed_date"),
            rule("dew_point_below_temp", pl.col("dewp") <= pl.col("temp")),
        ),
    )
    return Contract(
        table=RAW_WEATHER.table,
        schema=schema,
        key_columns=RAW_WEATHER.key_columns,
        day_column=RAW_WEATHER.day_column,
        past_columns=("observed_date", "time_hour"),
        references={"origin": Reference(RAW_AIRPORTS.table, "faa")},
        tolerances={
            "temp_not_null": 0.10,  # 1.6 %: one hour of the year without temp, dewp and humid
            "dewp_not_null": 0.10,
            "humid_not_null": 0.10,
            "wind_speed_not_null": 0.10,  # 1.4 %
            "wind_speed_in_range": 0.05,  # 1.4 %: 1,048 mph at EWR on 2013-02-12
        },
        when_empty=Severity.WARN,  # the source ends a day early: nothing on 2013-12-31
    )
