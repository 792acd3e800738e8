"""The features and the report on small inputs, where every value can be worked out by hand."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest

from dp_assets.adapters.duckdb_rows import arrow_schema
from dp_assets.adapters.duckdb_transforms import split_by_day, transform
from dp_assets.core.errors import PermanentError
from dp_assets.domains.pipeline.tables import (
    CARRIER_DAY,
    CURATED_FLIGHTS,
    ON_TIME_REPORT,
    ROUTE_DAY,
)
from dp_assets_tests.adapters import flight_files as files

DAY = date(2013, 6, 10)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def put_curated(connection: duckdb.DuckDBPyConnection, *flights: tuple[int, int | None]) -> None:
    """Curated flights JFK-LAX of UA from (days before DAY, arrival delay; None: cancelled)."""
    rows = [
        {
            "flight_date": DAY - timedelta(days=before),
            "carrier": "UA",
            "flight": number,
            "origin": "JFK",
            "dest": "LAX",
            "carrier_name": "United",
            "dep_delay_min": delay,
            "arr_delay_min": delay,
            "cancelled": delay is None,
            "diverted": False,
        }
        for number, (before, delay) in enumerate(flights)
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(CURATED_FLIGHTS))
    files.put(connection, CURATED_FLIGHTS, table)


def test_a_day_is_counted(connection):
    put_curated(connection, (0, -10), (0, 14), (0, 15), (0, None))
    for spec in (ROUTE_DAY, CARRIER_DAY):
        (row,) = transform(connection, spec, days=[DAY]).to_pylist()
        counts = [row[name] for name in ("flights", "cancelled", "diverted", "on_time")]
        assert counts == [4, 1, 0, 2]
        assert row["on_time_share"] == 0.5
        assert row["arr_delay_mean_min"] == pytest.approx(19 / 3)
        assert row["arr_delay_p50_min"] == 14
        assert row["arr_delay_p90_min"] == pytest.approx(14.8)
        assert row["trailing_7d_days"] == 0
        assert row["trailing_7d_flights"] is None
        assert row["trailing_7d_on_time_share"] is None


def test_trailing_means_look_back_seven_days_and_never_at_the_day_itself(connection):
    put_curated(connection, (8, 1000), (7, 30), (7, 0), (1, 6), (0, 500), (-1, 900))
    for spec in (ROUTE_DAY, CARRIER_DAY):
        (row,) = transform(connection, spec, days=[DAY]).to_pylist()
        assert (row["trailing_7d_days"], row["trailing_7d_flights"]) == (2, 3)
        # by flight, not by day: a mean of daily means would be 10.5
        assert row["trailing_7d_arr_delay_mean_min"] == pytest.approx(12)
        assert row["trailing_7d_on_time_share"] == pytest.approx(2 / 3)


def test_days_on_which_nothing_arrived_have_no_mean_delay(connection):
    put_curated(connection, (3, None), (0, None))
    (row,) = transform(connection, ROUTE_DAY, days=[DAY]).to_pylist()
    assert row["on_time_share"] == 0
    assert row["arr_delay_mean_min"] is None
    assert row["trailing_7d_cancelled_share"] == 1
    assert row["trailing_7d_arr_delay_mean_min"] is None


def test_days_computed_one_by_one_are_the_days_computed_together(connection):
    put_curated(connection, *((before, before * 7 % 40) for before in range(12) for _ in (0, 1)))
    days = [DAY - timedelta(days=before) for before in range(12)]
    for spec in (ROUTE_DAY, CARRIER_DAY):
        together = split_by_day(transform(connection, spec, days=days), spec, days)
        for day in days:
            assert transform(connection, spec, days=[day]).equals(together[day].combine_chunks())


def test_the_report_adds_up_per_month(connection):
    put_curated(connection, (0, 20), (1, 0), (11, None))
    rows = transform(connection, ON_TIME_REPORT, days=None).to_pylist()
    found = [
        (r["month"], r["days"], r["flights"], r["on_time"], r["cancelled_share"]) for r in rows
    ]
    assert found == [(date(2013, 5, 1), 1, 1, 0, 1.0), (date(2013, 6, 1), 2, 2, 1, 0.0)]


def test_no_days_are_no_rows(connection):
    assert transform(connection, ROUTE_DAY, days=[]).num_rows == 0


@pytest.mark.parametrize(("spec", "days"), [(ROUTE_DAY, None), (ON_TIME_REPORT, [DAY])])
def test_days_and_table_must_fit(connection, spec, days):
    with pytest.raises(PermanentError, match=r"is computed with"):
        transform(connection, spec, days=days)


def test_a_missing_input_is_named(connection):
    with pytest.raises(PermanentError, match=r"computing features.route_day: Catalog Error"):
        transform(connection, ROUTE_DAY, days=[DAY])


def test_splitting_loses_no_row(connection):
    put_curated(connection, (0, 1), (1, 1))
    rows = transform(connection, ROUTE_DAY, days=[DAY, DAY - timedelta(days=1)])
    parts = split_by_day(rows, ROUTE_DAY, [DAY - timedelta(days=1), DAY])
    assert [part.num_rows for part in parts.values()] == [1, 1]
    with pytest.raises(PermanentError, match=r"1 rows of features.route_day belong to none"):
        split_by_day(rows, ROUTE_DAY, [DAY])
