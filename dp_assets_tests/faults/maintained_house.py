"""The table of :mod:`maintained_table`, made once a module and put back before each fault."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from dp_assets.core.units import DAY_MS, now_ms
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.maintenance import Operation
from dp_assets.settings import Settings
from dp_assets_tests.adapters.real_lakehouse import settings_in
from dp_assets_tests.adapters.table_checks import check_files
from dp_assets_tests.faults.forking import must_run
from dp_assets_tests.faults.maintained_table import AFTER_DAYS, prepare
from dp_assets_tests.faults.model_episode import SETTINGS
from dp_assets_tests.faults.model_process import NAME, maintained

Rows = list[dict[str, object]]


@dataclass(frozen=True)
class House:
    """A lakehouse in ``folder/lake``, put back before every fault."""

    folder: Path
    settings: Settings
    rows: tuple[Rows, Rows]

    def put_back(self) -> None:
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / "prepared", self.folder / "lake")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    folder = tmp_path_factory.mktemp("resources")
    (folder / "lake").mkdir()
    settings = settings_in(folder / "lake", SETTINGS)
    must_run(prepare(settings))
    shutil.copytree(folder / "lake", folder / "prepared")
    with opened(settings) as lake:
        return House(folder, settings, rows_of(lake))


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
