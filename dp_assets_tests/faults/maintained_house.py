"""The table of :mod:`maintained_table`, made once a module and put back before each fault."""

from dataclasses import dataclass

import pytest

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets_tests.adapters.prepared_lake import PreparedLake
from dp_assets_tests.adapters.table_checks import check_files
from dp_assets_tests.faults.maintained_table import AFTER_DAYS, maintained_lake
from dp_assets_tests.faults.model_process import NAME, maintained

Rows = list[dict[str, object]]


@dataclass(frozen=True)
class House(PreparedLake):
    """A lakehouse that is put back before every fault.

    Attributes:
        rows: at the head and at the tag.
    """

    rows: tuple[Rows, Rows]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    prepared = PreparedLake.make(tmp_path_factory.mktemp("resources"), maintained_lake)
    with opened(prepared.settings) as lake:
        return House(prepared.folder, prepared.settings, rows_of(lake))


def rows_of(lake: Lakehouse) -> tuple[Rows, Rows]:
    """At the head and at the tag; both engines read the same, and no named file is missing."""
    table = lake.catalog.load_table(NAME.identifier)
    check_files(table)
    found: list[Rows] = []
    with lake.reader() as reader:
        for snapshot in (None, table.refs()["kept"].snapshot_id):
            read = table.scan(snapshot_id=snapshot).to_arrow().to_pylist()
            source = reader.scan(NAME, snapshot_id=snapshot)
            again = reader.rows(f"FROM {source}", about=NAME).to_pylist()
            assert by_id(read) == by_id(again)
            found.append(by_id(read))
    return found[0], found[1]


def by_id(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: str(row["id"]))


def run(lake: Lakehouse, operation: Operation) -> str:
    said = maintained(lake, operation, at_ms=now_ms() + AFTER_DAYS * DAY_MS)
    return said["did"]
