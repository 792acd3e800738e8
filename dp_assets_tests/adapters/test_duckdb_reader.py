"""Reading real tables with DuckDB: heads, older states, waiting rows, and errors with names."""

from collections.abc import Generator

import pytest

from dp_assets.adapters.duckdb_reader import DuckDbReader, extension_file
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.ids import TableId
from dp_assets_tests.adapters.orders import (
    MONDAY,
    ORDERS,
    TUESDAY,
    Lake,
    orders,
)
from dp_assets_tests.adapters.table_checks import (
    path_of,
)

IDS = "SELECT id FROM raw.orders ORDER BY id"


@pytest.fixture
def reader(lake: Lake) -> Generator[DuckDbReader, None, None]:
    lake.put(MONDAY, [1, 2])
    opened = DuckDbReader(
        lambda table: existing_pointer(lake.catalog, table),
        memory_limit="200MB",
        threads=1,
        temp_dir=lake.folder / "tmp",
    )
    with opened:
        yield opened


def ids(reader: DuckDbReader) -> list[int]:
    return reader.rows(IDS, about=ORDERS.table)["id"].to_pylist()


def test_a_view_shows_the_head_at_the_time_of_attaching(lake: Lake, reader: DuckDbReader):
    reader.attach([ORDERS.table])
    assert ids(reader) == [1, 2]
    lake.put(TUESDAY, [3])
    assert ids(reader) == [1, 2]
    reader.attach([ORDERS.table])
    assert ids(reader) == [1, 2, 3]


def test_a_view_of_an_older_state(lake: Lake, reader: DuckDbReader):
    before = lake.raw()["current-snapshot-id"]
    lake.put(TUESDAY, [3])
    reader.attach([ORDERS.table], snapshots={ORDERS.table: before})
    assert ids(reader) == [1, 2]


@pytest.mark.parametrize(("committed", "shown"), [(True, [1, 2, 8]), (False, [8])])
def test_waiting_rows_are_shown_beside_the_committed(
    reader: DuckDbReader, committed: bool, shown: list[int]
):
    reader.overlay(ORDERS.table, orders(TUESDAY, [8]), committed=committed)
    assert ids(reader) == shown


def test_names_with_quotes_are_names(lake: Lake, reader: DuckDbReader):
    odd = TableId('o"dd', "ta'ble")
    reader.overlay(odd, orders(MONDAY, [5]), committed=False)
    found = reader.rows('SELECT id FROM "o""dd"."ta\'ble"', about=odd)
    assert found["id"].to_pylist() == [5]


def test_a_missing_table_is_named(reader: DuckDbReader):
    with pytest.raises(PermanentError, match=r"there is no table raw\.none"):
        reader.attach([TableId("raw", "none")])


def test_a_missing_file_is_a_permanent_error_that_names_table_and_file(
    lake: Lake, reader: DuckDbReader
):
    [task] = lake.table().scan().plan_files()
    lost = path_of(task.file.file_path)
    lost.unlink()
    with pytest.raises(PermanentError, match=r"read raw\.orders: ") as raised:
        reader.rows(f"FROM {reader.scan(ORDERS.table)}", about=ORDERS.table)
    assert lost.name in str(raised.value)


def test_an_extension_that_is_not_installed_is_named():
    with pytest.raises(ConfigurationError, match="DuckDB's nothing extension") as raised:
        extension_file("nothing")
    assert "pip install duckdb-extension-nothing==" in raised.value.hint
