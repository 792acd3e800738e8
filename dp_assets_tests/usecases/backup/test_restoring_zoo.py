"""Every table of the zoo through a repository to another place, its source gone."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dp_assets.adapters.pyiceberg_inventory import list_pointers
from dp_assets.core.ids import TableId
from dp_assets.domains.backup.restore_plan import Wanted
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.backup.restore_planning import plan_restore
from dp_assets.usecases.backup.restore_target import find_target
from dp_assets.usecases.backup.restoring import restore
from dp_assets_tests.usecases.backup import mapped_io
from dp_assets_tests.usecases.backup.readings import (
    Readings,
    by_duckdb,
    by_pyiceberg,
    files_naming,
    read_well,
)
from dp_assets_tests.usecases.backup.table_points import add_point, new_repository
from dp_assets_tests.zoo import DATA, POINTERS, PREFIX, TABLES, unpack_zoo

# PyIceberg has no equality deletes; both engines leave out what version 3 says of row lineage.
UNREAD_BY_PYICEBERG = {"equality"}
WITH_LINEAGE = {"v3_dv"}


@dataclass(frozen=True)
class Moved:
    """The zoo elsewhere: what PyIceberg read of the source, and the restored metadata files."""

    before: Mapping[str, Readings]
    pointers: Mapping[str, str]
    folder: Path


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    folder = tmp_path_factory.mktemp("zoo")
    zoo = unpack_zoo(folder)
    source = mapped_io.properties(PREFIX, str(zoo.folder))
    before = {name: by_pyiceberg(str(zoo.path(POINTERS[name])), source) for name in TABLES}
    repository = new_repository(folder / "repository")
    add_point(repository, {f"zoo.{n}": p for n, p in POINTERS.items()}, read=zoo.files.read)
    shutil.rmtree(zoo.folder)
    target = find_target([str(folder / "new")], load_settings())
    done = restore(repository, target, plan_restore(repository, target, Wanted()))
    assert not done.refused
    with opened(target.settings) as lake:
        pointers = {table.name: at for table, at in list_pointers(lake.catalog).items()}
    return Moved(before, pointers, folder / "new")


def expected(table: str) -> Readings:
    """As Spark read the original."""
    start = f"zoo.{table} "
    known = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
    return {k.removeprefix(start): v for k, v in known.items() if k.startswith(start)}


@pytest.mark.parametrize("table", TABLES)
def test_pyiceberg_reads_what_it_read_before(moved: Moved, table: str):
    after = by_pyiceberg(moved.pointers[table])
    assert after == moved.before[table]
    assert read_well(after) or table in UNREAD_BY_PYICEBERG


@pytest.mark.parametrize("table", [t for t in TABLES if t not in WITH_LINEAGE])
def test_duckdb_reads_what_spark_read_before(moved: Moved, table: str, tmp_path: Path):
    after = by_duckdb(moved.pointers[table], tmp_path)
    before = expected(table)
    assert after == {name: before[name] for name in after}


@pytest.mark.parametrize("table", sorted(WITH_LINEAGE))
def test_duckdb_reads_what_pyiceberg_read_before(moved: Moved, table: str, tmp_path: Path):
    after = by_duckdb(moved.pointers[table], tmp_path)
    assert after == {name: moved.before[table][name] for name in after}
    rows = {name: said.partition(":")[0] for name, said in expected(table).items()}
    assert {n: s.partition(":")[0] for n, s in after.items()} == {n: rows[n] for n in after}


def test_no_file_names_the_old_place(moved: Moved):
    assert list(files_naming(moved.folder / "warehouse", PREFIX)) == []


def test_the_search_would_find_the_old_place(tmp_path: Path):
    """In every kind of file that can hide it."""
    zoo = unpack_zoo(tmp_path)
    found = {file.suffix for file in files_naming(zoo.folder, PREFIX)}
    assert found >= {".json", ".avro", ".parquet", ".puffin"}


def test_every_table_keeps_what_it_is(moved: Moved, tmp_path: Path):
    """Uuid, schemas, snapshots, refs and properties; only places differ."""
    zoo = unpack_zoo(tmp_path)
    for name in TABLES:
        old = json.loads(zoo.path(POINTERS[name]).read_text(encoding="utf-8"))
        new = json.loads(Path(moved.pointers[name].removeprefix("file://")).read_text())
        for key in ("location", "metadata-log", "properties"):
            del old[key], new[key]
        for snapshot in (*old["snapshots"], *new["snapshots"]):
            snapshot.pop("manifest-list")
        for key in ("statistics", "partition-statistics"):
            for one in (*old.get(key, ()), *new.get(key, ())):
                one.pop("statistics-path")
        assert new == old
        assert TableId("zoo", name)
