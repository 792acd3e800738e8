"""Where columns come from, as far as that is exact: copies of another table's column, no more.

A computed column has no entry: "made of these columns somehow" is what the asset graph says
already. Neither has a time zone, which for four destinations is not from ``raw.airports``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from dp_assets.core.ids import TableId


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of another table, whose values arrive unchanged (or as null, without a partner)."""

    table: TableId
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


def _from(table: str, columns: Mapping[str, str]) -> dict[str, SourceColumn]:
    source = TableId.parse(table)
    return {ours: SourceColumn(source, theirs) for ours, theirs in columns.items()}


def _same(table: str, *columns: str) -> dict[str, SourceColumn]:
    return _from(table, {column: column for column in columns})


COPIED: Mapping[TableId, Mapping[str, SourceColumn]] = MappingProxyType(
    {
        TableId("curated", "flights"): _same(
            "raw.flights", "flight_date", "carrier", "flight", "origin", "dest", "tailnum"
        )
        | _from(
            "raw.flights",
            {
                "dep_delay_min": "dep_delay",
                "arr_delay_min": "arr_delay",
                "air_time_min": "air_time",
                "distance_miles": "distance",
            },
        )
        | _from("raw.airlines", {"carrier_name": "name"})
        | _from(
            "raw.airports",
            {"origin_name": "name", "dest_name": "name", "dest_lat": "lat", "dest_lon": "lon"},
        )
        | _from(
            "raw.planes",
            {
                "plane_year": "year",
                "plane_manufacturer": "manufacturer",
                "plane_model": "model",
                "plane_seats": "seats",
            },
        )
        | _from(
            "raw.weather",
            {
                "weather_hour_utc": "time_hour",
                "temp_f": "temp",
                "humid_pct": "humid",
                "wind_dir_deg": "wind_dir",
                "wind_speed_mph": "wind_speed",
                "wind_gust_mph": "wind_gust",
                "precip_in": "precip",
                "pressure_mbar": "pressure",
                "visib_miles": "visib",
            },
        ),
        TableId("features", "route_day"): _same("curated.flights", "flight_date", "origin", "dest"),
        TableId("features", "carrier_day"): _same("curated.flights", "flight_date", "carrier"),
        TableId("analytics", "on_time_report"): _same(
            "curated.flights", "carrier", "origin", "carrier_name"
        ),
    }
)


def copied(table: TableId) -> Mapping[str, SourceColumn]:
    """By column of ``table``, what it is a copy of; empty where nothing is."""
    return COPIED.get(table, {})
