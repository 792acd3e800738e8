import json
import subprocess
import sys

import pytest

from dp_assets.adapters import local_files
from dp_assets.adapters.inventory_state import read_inventory, write_inventory
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import Column, Inventory, TableFacts, TableLife

A, B = TableId("raw", "a"), TableId("deep.er", "größe")
COLUMNS = (Column("id", "long", required=True, doc="Key."), Column("tags", "list<string>"))
LAKE = Inventory(
    tables={
        A: TableFacts(A, "s3://b/1.json", uuid="u", rows=2**60, adopted=True, columns=COLUMNS),
        B: TableFacts(B, "", problem="no pointer", columns=tuple(Column(*c) for c in COLUMNS)),
    },
    history=(TableLife(A, "u", 1, 2), TableLife(B, "", 1, 1, dropped_at_ms=2)),
    swept_at_ms=5,
)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "inventory.json"


def test_what_was_written_is_read_and_equal_columns_are_one_object(file):
    write_inventory(file, LAKE)
    read = read_inventory(file)
    assert (read.inventory, read.problem) == (LAKE, "")
    assert read.inventory.tables[A].columns is read.inventory.tables[B].columns


def test_no_state_yet_is_an_empty_inventory(file):
    read = read_inventory(file)
    assert (read.inventory, read.problem) == (Inventory(), "")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"format": 1, "tables": [', id="cut"),
        pytest.param(b"\xff\xfe\x00", id="not-text"),
        pytest.param(b"[1]", id="another-shape"),
        pytest.param(b'{"format": 2}', id="of-a-later-version"),
        pytest.param(b"[" * 100_000, id="nested-without-end"),
    ],
)
def test_damaged_state_is_empty_with_a_problem_and_kept_aside_when_replaced(file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    read = read_inventory(file)
    assert read.inventory == Inventory()
    assert str(file) in read.problem
    write_inventory(file, LAKE)
    assert read_inventory(file).inventory == LAKE
    assert file.with_name("inventory.json.damaged").read_bytes() == content


def test_a_folder_in_the_way_is_a_problem_not_an_error(file):
    file.mkdir(parents=True)
    assert "IsADirectoryError" in read_inventory(file).problem


def test_a_failed_write_leaves_the_old_state_and_nothing_beside_it(file, monkeypatch):
    write_inventory(file, LAKE)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local_files.os, "fsync", full)
    with pytest.raises(PermanentError, match=r"No space left.*\nhint: make the state folder"):
        write_inventory(file, Inventory())
    assert read_inventory(file).inventory == LAKE
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_equal_columns_are_stored_once(file):
    write_inventory(file, LAKE)
    assert len(json.loads(file.read_bytes())["schemas"]) == 1


def test_reading_it_imports_no_engine():
    code = "import sys, dp_assets.adapters.inventory_state; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert not {"pyiceberg", "pyarrow", "duckdb", "dagster"} & set(loaded.stdout.split())
