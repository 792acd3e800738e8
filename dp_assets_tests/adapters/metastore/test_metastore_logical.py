"""Our own export of any catalog, of one in memory here."""

import json
import re
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path

import pytest
from pyiceberg.catalog.memory import InMemoryCatalog

from dp_assets.adapters.metastore.catalog_fill import fill_catalog, without_minimum
from dp_assets.adapters.metastore.catalog_reading import read_catalog, read_until_agreed
from dp_assets.adapters.metastore.dump_folder import CATALOG, RECORD, read_record
from dp_assets.adapters.metastore.metastore_logical import LogicalMetastore
from dp_assets.adapters.metastore.metastores import metastore_for
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.metastore import CatalogState
from dp_assets_tests.adapters.dumps import DAMAGES, NAME, clock, sign_again, state_of


@pytest.fixture
def catalog() -> Generator[InMemoryCatalog, None, None]:
    with closing(InMemoryCatalog(NAME)) as opened:
        fill_catalog(opened, state_of(3))
        yield opened


@pytest.fixture
def folder(catalog: InMemoryCatalog, tmp_path: Path) -> Path:
    metastore(catalog).dump(tmp_path / "dump")
    return tmp_path / "dump"


def metastore(catalog: InMemoryCatalog) -> LogicalMetastore:
    chosen = metastore_for(catalog, uri="", now_ms=clock)
    assert isinstance(chosen, LogicalMetastore)
    return chosen


def problems(folder: Path, catalog: InMemoryCatalog) -> str:
    return "; ".join(metastore(catalog).check(folder).problems)


def test_a_dump_holds_what_the_catalog_holds_and_checks_good(
    catalog: InMemoryCatalog, tmp_path: Path
):
    dumped = metastore(catalog).dump(tmp_path / "dump")
    assert dumped.state == state_of(3)
    assert (dumped.cut, dumped.skew_ms, dumped.skewed) == ("repeated reading", 0, ())
    assert {file.path for file in dumped.files} == {CATALOG, RECORD}
    check = metastore(catalog).check(tmp_path / "dump")
    assert (check.problems, check.pointers) == ((), 3)


@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_a_damaged_export_is_named(
    folder: Path, catalog: InMemoryCatalog, damage: Callable[[Path], None], says: str
):
    damage(folder / CATALOG)
    assert re.search(f"^{CATALOG} {says}", problems(folder, catalog))


def edit(folder: Path, change: Callable[[dict], object]) -> None:
    content = json.loads((folder / CATALOG).read_text())
    change(content)
    (folder / CATALOG).write_text(json.dumps(content))
    sign_again(folder)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["tables"]["raw"].pop("t00001"), "has 2 tables, 3 are recorded"),
        (lambda c: c.pop("tables"), "catalog.json is damaged"),
        (lambda c: c["tables"]["raw"].update(t00001=""), "raw.t00001: the catalog could not load"),
        (lambda c: c["views"].update({"raw.w": {"view-uuid": 1}}), "view raw.w: not Iceberg's"),
    ],
)
def test_an_export_that_hashes_well_but_does_not_restore(
    folder: Path, catalog: InMemoryCatalog, change: Callable[[dict], object], says: str
):
    edit(folder, change)
    assert says in problems(folder, catalog)


class Moving:
    """A catalog that moves ``times`` times while it is read; its clock moves 10 ms a look."""

    def __init__(self, times: int) -> None:
        self.reads = 0
        self.times = times
        self.now = 0

    def read(self) -> CatalogState:
        state = state_of(2, version=0)
        pointers = {**state.pointers, TableId("raw", "t00001"): f"p{min(self.reads, self.times)}"}
        self.reads += 1
        return CatalogState(pointers, {}, {})

    def now_ms(self) -> int:
        self.now += 10
        return self.now


@pytest.mark.parametrize(("times", "reads"), [(0, 2), (1, 3), (3, 5)])
def test_pointers_are_read_until_two_readings_agree(times: int, reads: int):
    moving = Moving(times)
    reading = read_until_agreed(moving.read, now_ms=moving.now_ms)
    assert (moving.reads, reading.skew_ms, reading.skewed) == (reads, 0, ())
    assert reading.state.pointers[TableId("raw", "t00001")] == f"p{times}"


def test_a_catalog_that_never_rests_is_read_five_times_and_its_skew_recorded():
    moving = Moving(99)
    reading = read_until_agreed(moving.read, now_ms=moving.now_ms)
    assert moving.reads == 5
    assert reading.skewed == (TableId("raw", "t00001"),)
    assert reading.skew_ms == 20


def test_the_skew_is_in_the_record(
    catalog: InMemoryCatalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    moving = Moving(99)
    monkeypatch.setattr(
        "dp_assets.adapters.metastore.metastore_logical.read_catalog", lambda _: moving.read()
    )
    LogicalMetastore(catalog, address="", now_ms=moving.now_ms).dump(tmp_path / "dump")
    record = read_record(tmp_path / "dump")
    assert (record.skew_ms, record.skewed) == (20, ("raw.t00001",))


def test_an_empty_namespace_comes_back(tmp_path: Path):
    with closing(InMemoryCatalog(NAME)) as source, closing(InMemoryCatalog(NAME)) as target:
        source.create_namespace(("a", "b"), {"k": "v"})
        source.create_namespace("empty")
        dumped = metastore(source).dump(tmp_path / "dump")
        assert metastore(source).check(tmp_path / "dump").good
        fill_catalog(target, dumped.state)
        assert without_minimum(read_catalog(target)) == without_minimum(read_catalog(source))


def test_a_catalog_with_something_else_in_it_is_not_filled(catalog: InMemoryCatalog):
    with pytest.raises(PermanentError, match=r"is not empty: it holds raw.t0000\d"):
        fill_catalog(catalog, state_of(3, version=1))
    assert read_catalog(catalog) == state_of(3)
