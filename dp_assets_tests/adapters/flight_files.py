"""A small source folder of flights and a DuckDB with its tables, for tests."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from dp_assets.adapters.duckdb_transforms import transform
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.domains.pipeline import tables
from dp_assets.ports.tables import TableSpec

FLIGHTS = (
    "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,"
    "flight,tailnum,origin,dest,air_time,distance,hour,minute,time_hour"
)
UNITED = "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"
CANCELLED = "2013,1,1,NA,1630,NA,NA,1815,NA,EV,4308,NA,EWR,RDU,NA,416,16,30,2013-01-01T21:00:00Z"
NEXT_DAY = "2013,1,2,542,540,2,923,850,33,AA,1141,N619AA,JFK,MIA,160,1089,5,40,2013-01-02T10:00:00Z"
WEATHER = (
    "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,"
    "visib,time_hour"
)
FREEZING = "EWR,2013,1,1,5,30.02,26.06,59.37,NA,10.357,NA,0,1012,10,2013-01-01T10:00:00Z"
PLANES = "tailnum,year,type,manufacturer,model,engines,seats,speed,engine"
BOEING = "N14228,1999,Fixed wing multi engine,BOEING,737-824,2,149,NA,Turbo-fan"
AIRPORTS = "faa,name,lat,lon,alt,tz,dst,tzone"
AIRPORT_ROWS = (
    "EWR,Newark Liberty Intl,40.6925,-74.168667,18,-5,A,America/New_York",
    "JFK,John F Kennedy Intl,40.639751,-73.778925,13,-5,A,America/New_York",
    "IAH,George Bush Intercontinental,29.984433,-95.341442,97,-6,A,America/Chicago",
    "LAX,Los Angeles Intl,33.942536,-118.408075,126,-8,A,America/Los_Angeles",
    "MIA,Miami Intl,25.79325,-80.290556,8,-5,A,America/New_York",
    "PHX,Phoenix Sky Harbor Intl,33.434278,-112.011583,1135,-7,N,America/Phoenix",
    "EEN,Dillant Hopkins Airport,72.270833,42.898333,149,-5,A,NA",
)
AIRLINES = ("carrier,name", "UA,United Air Lines Inc.", "EV,ExpressJet Airlines Inc.")
RAW = (tables.RAW_FLIGHTS, tables.RAW_WEATHER)
DIMENSIONS = (tables.RAW_PLANES, tables.RAW_AIRPORTS, tables.RAW_AIRLINES)


def write_source(
    folder: Path,
    *,
    flights: Iterable[str] = (FLIGHTS, UNITED, CANCELLED, NEXT_DAY),
    weather: Iterable[str] = (WEATHER, FREEZING),
    planes: Iterable[str] = (PLANES, BOEING),
    airports: Iterable[str] = (AIRPORTS, *AIRPORT_ROWS),
) -> Path:
    """The five files in ``folder``, which is made and returned."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "flights": flights,
        "weather": weather,
        "planes": planes,
        "airports": airports,
        "airlines": AIRLINES,
    }
    for name, lines in files.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def put(connection: duckdb.DuckDBPyConnection, spec: TableSpec, rows: pa.Table) -> None:
    """Make ``rows`` the table ``namespace.name``."""
    connection.register("arriving", rows)
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {spec.table.namespace}")
    connection.execute(f"CREATE OR REPLACE TABLE {spec.table} AS FROM arriving")
    connection.unregister("arriving")


def load_raw(
    connection: duckdb.DuckDBPyConnection, source: FlightsSource, days: Sequence[date]
) -> None:
    """The raw tables of ``days``."""
    for spec in RAW:
        rows = source.day_rows(connection, spec, days)
        put(connection, spec, pa.concat_tables(rows.values()))
    for spec in DIMENSIONS:
        put(connection, spec, source.whole(connection, spec))


def compute(connection: duckdb.DuckDBPyConnection, days: Sequence[date]) -> None:
    """Every computed table of ``days`` but the validation."""
    for spec in (tables.CURATED_FLIGHTS, tables.ROUTE_DAY, tables.CARRIER_DAY):
        put(connection, spec, transform(connection, spec, days=days))
    put(connection, tables.ON_TIME_REPORT, transform(connection, tables.ON_TIME_REPORT, days=None))
