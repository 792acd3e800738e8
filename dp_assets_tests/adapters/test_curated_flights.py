"""curated.flights on small inputs: times in UTC by hand, and joins that keep every row once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from dp_assets.adapters.duckdb_transforms import transform
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.domains.pipeline.tables import CURATED_FLIGHTS
from dp_assets_tests.adapters import flight_files as files

Row = dict[str, object]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def flight(
    day: str, dest: str, departs: int, arrives: int, *, number: int = 1, tail: str = "N14228"
) -> str:
    """A line of flights.csv: from JFK, two minutes late out, three minutes early in."""
    year, month, day_of_month = (int(part) for part in day.split("-"))
    return (
        f"{year},{month},{day_of_month},1,{departs},2,1,{arrives},-3,UA,{number},{tail},JFK,{dest},"
        f"100,1000,{departs // 100},{departs % 100},2013-01-01T00:00:00Z"
    )


def curated(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    flights: Sequence[str],
    **lines: list[str],
) -> list[Row]:
    """The curated rows of all ``flights``."""
    folder = files.write_source(tmp_path, flights=[files.FLIGHTS, *flights], **lines)
    days = sorted({date(*(int(p) for p in line.split(",")[:3])) for line in flights})
    source = FlightsSource(str(folder), cache_dir=tmp_path)
    files.load_raw(connection, source, [d + timedelta(n) for d in days for n in (0, 1)])
    return transform(connection, CURATED_FLIGHTS, days=days).to_pylist()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}:00").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "departure", "arrival"),
    [
        pytest.param(
            flight("2013-01-15", "LAX", 900, 1215),
            "2013-01-15 14:00",
            "2013-01-15 20:15",
            id="winter",
        ),
        pytest.param(
            flight("2013-07-15", "LAX", 900, 1215),
            "2013-07-15 13:00",
            "2013-07-15 19:15",
            id="summer",
        ),
        pytest.param(
            flight("2013-07-15", "PHX", 900, 1115),
            "2013-07-15 13:00",
            "2013-07-15 18:15",
            id="arizona-keeps-no-summer-time",
        ),
        pytest.param(
            flight("2013-01-15", "MIA", 2200, 107),
            "2013-01-16 03:00",
            "2013-01-16 06:07",
            id="arrives-after-midnight",
        ),
        pytest.param(
            flight("2013-01-15", "MIA", 2100, 2400),
            "2013-01-16 02:00",
            "2013-01-16 05:00",
            id="2400-is-the-end-of-the-day",
        ),
        pytest.param(
            flight("2013-12-31", "MIA", 2359, 259),
            "2014-01-01 04:59",
            "2014-01-01 07:59",
            id="arrives-next-year",
        ),
        pytest.param(
            flight("2013-03-09", "MIA", 2330, 334),
            "2013-03-10 04:30",
            "2013-03-10 07:34",
            id="clocks-go-forward-on-the-way",
        ),
        pytest.param(
            flight("2013-03-10", "IAH", 600, 850),
            "2013-03-10 10:00",
            "2013-03-10 13:50",
            id="clocks-went-forward",
        ),
        pytest.param(
            flight("2013-11-02", "MIA", 2330, 230),
            "2013-11-03 03:30",
            "2013-11-03 07:30",
            id="clocks-go-back-on-the-way",
        ),
        pytest.param(
            flight("2013-11-03", "IAH", 600, 850),
            "2013-11-03 11:00",
            "2013-11-03 14:50",
            id="clocks-went-back",
        ),
        pytest.param(
            flight("2013-01-15", "SJU", 900, 1400),
            "2013-01-15 14:00",
            "2013-01-15 18:00",
            id="puerto-rico-in-winter",
        ),
        pytest.param(
            flight("2013-07-15", "STT", 900, 1300),
            "2013-07-15 13:00",
            "2013-07-15 17:00",
            id="virgin-islands-in-summer",
        ),
    ],
)
def test_schedules_become_utc(connection, tmp_path, line, departure, arrival):
    (row,) = curated(connection, tmp_path, [line])
    assert row["scheduled_departure_utc"] == utc(departure)
    assert row["scheduled_arrival_utc"] == utc(arrival)
    assert row["actual_departure_utc"] == utc(departure) + timedelta(minutes=2)
    assert row["actual_arrival_utc"] == utc(arrival) - timedelta(minutes=3)


def test_a_zone_in_airports_wins_over_the_built_in_one(connection, tmp_path):
    airports = [files.AIRPORTS, *files.AIRPORT_ROWS, "SJU,San Juan,18,-66,9,-4,N,Etc/UTC"]
    line = flight("2013-01-15", "SJU", 900, 1800)
    (row,) = curated(connection, tmp_path, [line], airports=airports)
    assert row["dest_name"] == "San Juan"
    assert row["scheduled_arrival_utc"] == utc("2013-01-15 18:00")


@pytest.mark.parametrize("dest", ["XXX", "EEN"], ids=["no-airport", "airport-without-zone"])
def test_an_unknown_destination_keeps_the_flight_without_arrival(connection, tmp_path, dest):
    (row,) = curated(connection, tmp_path, [flight("2013-01-15", dest, 900, 1215)])
    assert row["scheduled_departure_utc"] == utc("2013-01-15 14:00")
    assert (row["scheduled_arrival_utc"], row["actual_arrival_utc"]) == (None, None)
    assert (row["dest"], row["dest_tz"]) == (dest, None)


def test_an_unknown_origin_keeps_the_flight_without_times(connection, tmp_path):
    line = flight("2013-01-15", "LAX", 900, 1215).replace(",JFK,", ",XXX,")
    (row,) = curated(connection, tmp_path, [line])
    times = [value for name, value in row.items() if name.endswith("_utc")]
    assert times == [None] * 5


def test_missing_dimensions_are_null_and_the_rows_stay(connection, tmp_path):
    lines = [
        flight("2013-01-15", "LAX", 900, 1215, number=1),
        flight("2013-01-15", "LAX", 900, 1215, number=2, tail="N404"),
        flight("2013-01-15", "LAX", 900, 1215, number=3, tail="NA"),
        flight("2013-01-15", "LAX", 900, 1215, number=4).replace(",UA,", ",ZZ,"),
    ]
    rows = curated(connection, tmp_path, lines)
    assert [(r["flight"], r["plane_model"], r["carrier_name"]) for r in rows] == [
        (1, "737-824", "United Air Lines Inc."),
        (2, None, "United Air Lines Inc."),
        (3, None, "United Air Lines Inc."),
        (4, "737-824", None),
    ]
    assert {r["weather_hour_utc"] for r in rows} == {None}


def test_a_doubled_dimension_doubles_no_flight(connection, tmp_path):
    rows = curated(
        connection,
        tmp_path,
        [flight("2013-01-15", "LAX", 900, 1215)],
        planes=[files.PLANES, files.BOEING, files.BOEING.replace("1999", "1998")],
        airports=[files.AIRPORTS, *files.AIRPORT_ROWS, *files.AIRPORT_ROWS],
    )
    assert [row["plane_year"] for row in rows] == [1998]


def weather(hour_utc: str, temp: float, *, local: str = "2013,11,3,1") -> str:
    return f"JFK,{local},{temp},26,59,NA,10,NA,0,1012,10,2013-11-03T{hour_utc}:00:00Z"


def test_the_hour_that_was_there_twice_is_joined_once(connection, tmp_path):
    lines = [files.WEATHER, weather("05", 51.5), weather("06", 50.5), weather("07", 49.5)]
    departs = [flight("2013-11-03", "LAX", hhmm, 900, number=hhmm) for hhmm in (30, 59, 130, 200)]
    rows = curated(connection, tmp_path, departs, weather=lines)
    # 00:30 and 00:59 are 04 UTC; 01:30 is read as the second one, 06 UTC; 02:00 is 07 UTC
    assert [(r["flight"], r["temp_f"]) for r in rows] == [
        (30, None),
        (59, None),
        (130, 50.5),
        (200, 49.5),
    ]


@pytest.mark.parametrize("reverse", [False, True])
def test_doubled_weather_doubles_no_flight_and_the_choice_is_stable(connection, tmp_path, reverse):
    lines = sorted([weather("06", 50.5), weather("06", 48.5)], reverse=reverse)
    rows = curated(
        connection,
        tmp_path,
        [flight("2013-11-03", "LAX", 115, 900)],
        weather=[files.WEATHER, *lines],
    )
    assert [row["temp_f"] for row in rows] == [48.5]


def test_cancelled_and_diverted_are_told_apart(connection, tmp_path):
    arrived = flight("2013-01-15", "LAX", 900, 1215, number=1)
    diverted = arrived.replace(",UA,1,", ",UA,2,").replace(",-3,", ",NA,").replace(",100,", ",NA,")
    cancelled = diverted.replace(",UA,2,", ",UA,3,").replace(
        "2013,1,15,1,900,2,", "2013,1,15,NA,900,NA,"
    )
    rows = curated(connection, tmp_path, [arrived, diverted, cancelled])
    assert [(r["cancelled"], r["diverted"]) for r in rows] == [
        (False, False),
        (False, True),
        (True, False),
    ]
    assert [r["actual_departure_utc"] is None for r in rows] == [False, False, True]
    assert [r["actual_arrival_utc"] is None for r in rows] == [False, True, True]
