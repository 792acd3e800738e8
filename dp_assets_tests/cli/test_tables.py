"""`dp tables` and `dp table` on real tables."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import IcebergTables
from pyiceberg.table.sorting import NullOrder
from pyiceberg.transforms import IdentityTransform
from sqlalchemy import insert
from sqlalchemy.orm import Session

from dp_assets.adapters.inventory_state import write_inventory
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.pyiceberg_inventory import list_pointers, read_facts
from dp_assets.domains.pipeline.tables import RAW_AIRLINES
from dp_assets.ports.inventory import Inventory
from dp_assets.ports.tables import RunMark
from dp_assets_tests.cli.things import make_things

HEAVY = {"duckdb", "pyarrow", "pandas", "polars", "dagster", "pandera", "numpy", "rich"}
AIRLINES = pa.table({"carrier": ["UA", "AA"], "name": ["United", "American"]})


def write_airlines(lake):
    lake.writer.ensure(RAW_AIRLINES)
    run = RunMark(root_run_id="root-1", run_id="run-1")
    return lake.writer.replace(RAW_AIRLINES, AIRLINES, partition=None, run=run)


@pytest.fixture
def filled(lake):
    """One table of ours, one of somebody else's, one adopted."""
    write_airlines(lake)
    make_things(lake.catalog)
    adopted = make_things(lake.catalog, "shop", "adopted")
    with adopted.transaction() as change:
        change.set_properties({"dp.adopted": "true"})
    return lake


def test_every_table_is_listed_with_what_it_holds_and_whose_it_is(dp, filled):
    rows = {row["table"]: row for row in dp("tables", "--json").json}
    assert list(rows) == ["raw.airlines", "shop.adopted", "shop.things"]
    assert {name: row["is"] for name, row in rows.items()} == {
        "raw.airlines": "ours",
        "shop.adopted": "adopted",
        "shop.things": "foreign",
    }
    things = rows["shop.things"]
    table = filled.catalog.load_table("shop.things")
    files = [task.file for task in table.scan().plan_files()]
    assert things["rows"] == 24
    assert things["files"] == len(files)
    assert things["size"] == sum(file.file_size_in_bytes for file in files)
    assert things["snapshots"] == len(table.snapshots())
    assert things["format"] == 2
    assert things["problem"] is None


def test_people_see_a_line_of_totals(dp, filled):
    lines = dp("tables").out.splitlines()
    assert lines[0].split() == [
        *["table", "rows", "files", "size", "snapshots"],
        "last",
        "commit",
        "format",
        "is",
    ]
    assert lines[-1].startswith("3 tables, 50 rows, ")
    assert lines[-1].endswith("; 1 foreign")


def test_an_empty_lakehouse_is_no_failure(dp, lake):
    done = dp("tables")
    assert done.code == 0
    assert "0 tables, 0 rows" in done.out
    assert dp("tables", "--json").json == []


def test_without_a_lakehouse_it_says_how_to_make_one(dp):
    done = dp("tables")
    assert done.code == 2
    assert "'dp init' makes one" in done.err


def test_a_damaged_table_is_listed_with_its_problem(dp, filled):
    location = filled.catalog.load_table("shop.things").metadata_location
    local_path(location).write_bytes(b"")
    done = dp("tables")
    assert done.code == 0
    assert f"metadata file {location} is empty" in done.out
    assert "1 cannot be read: 'dp doctor' says more" in done.out


def saved(lake, **changed):
    """The inventory's state as a sweep leaves it; ``changed`` shows whether it is used."""
    facts = {t: read_facts(lake.catalog, t, p) for t, p in list_pointers(lake.catalog).items()}
    tables = {table: replace(found, **changed) for table, found in facts.items()}
    write_inventory(lake.settings.inventory_file, Inventory(tables=tables))


def test_what_the_inventory_knows_is_not_read_again(dp, filled):
    saved(filled, rows=1_000_000)
    assert {row["rows"] for row in dp("tables", "--json").json} == {1_000_000}


def test_a_table_that_moved_since_the_inventory_is_read(dp, filled):
    saved(filled, rows=1_000_000)
    filled.catalog.load_table("shop.things").delete("id = 8")
    rows = {row["table"]: row["rows"] for row in dp("tables", "--json").json}
    assert rows["shop.things"] == 23
    assert rows["shop.adopted"] == 1_000_000


def test_a_file_emptied_since_the_inventory_is_seen(dp, filled):
    saved(filled)
    local_path(filled.catalog.load_table("shop.things").metadata_location).write_bytes(b"")
    [problem] = [row["problem"] for row in dp("tables", "--json").json if row["problem"]]
    assert problem.endswith("is empty")


def test_2000_tables_take_less_than_three_seconds_and_a_catalog_connection(dp, lake):
    """One pointer each to its own metadata file, none of them in the inventory's state."""
    content = local_path(make_things(lake.catalog).metadata_location).read_bytes()
    folder = lake.settings.state_dir / "many"
    folder.mkdir()
    rows = []
    for number in range(2_000):
        path = folder / f"{number}.metadata.json"
        path.write_bytes(content)
        rows.append(
            {
                "catalog_name": lake.catalog.name,
                "table_namespace": f"n{number % 20}",
                "table_name": f"t{number}",
                "metadata_location": str(path),
                "iceberg_type": "TABLE",
            }
        )
    with Session(lake.catalog.engine) as session:
        session.execute(insert(IcebergTables), rows)
        session.commit()
    before = time.process_time()
    listed = dp("tables", "--json").json
    assert time.process_time() - before < 3
    assert len(listed) == 2_001
    assert {row["rows"] for row in listed} == {24}


def test_it_loads_no_engine(lake, home):
    write_airlines(lake)
    program = "import sys; from dp_assets.cli.main import main; main(['tables'])\n"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", f"{program}print('LOADED', *sys.modules)"],
        cwd=home,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    listing, _, loaded = done.stdout.rpartition("LOADED ")
    assert "raw.airlines" in listing
    assert {name.partition(".")[0] for name in loaded.split()} & HEAVY == set()


def test_one_table_in_detail(dp, filled):
    done = dp("table", "raw.airlines")
    assert done.code == 0
    assert "Two-character airline code." in done.out
    assert "Data files by size" in done.out
    shown = dp("table", "raw.airlines", "--json").json
    assert shown["is"] == "ours"
    assert shown["rows"] == 2
    assert shown["schema"][0] == {
        "id": 1,
        "name": "carrier",
        "type": "string",
        "required": False,
        "doc": "Two-character airline code.",
    }
    assert shown["properties"]["dp.writer"] == "raw/airlines"
    assert [ref["name"] for ref in shown["refs"]] == ["main"]
    assert [bucket["files"] for bucket in shown["data_files_by_size"]] == [1]
    assert shown["summary"]["dp.run"] == "run-1"


def test_partitions_sort_order_branches_and_tags_are_shown(dp, lake):
    table = make_things(lake.catalog)
    first = table.snapshots()[0].snapshot_id
    with table.update_spec() as spec:
        spec.add_field("at", "day", "at_day")
    with table.update_sort_order() as order:
        order.desc("id", IdentityTransform(), NullOrder.NULLS_LAST)
    with table.manage_snapshots() as manage:
        manage.create_tag(first, "monthly").create_branch(first, "audit")
    shown = dp("table", "shop.things", "--json").json
    assert shown["partitioned_by"] == "day(at)"
    assert shown["sorted_by"] == "id desc nulls last"
    assert {ref["name"]: ref["kind"] for ref in shown["refs"]} == {
        "audit": "branch",
        "main": "branch",
        "monthly": "tag",
    }


def test_secrets_in_properties_are_not_shown(dp, lake):
    table = make_things(lake.catalog)
    with table.transaction() as change:
        change.set_properties({"s3.secret-access-key": "hunter2"})
    shown = dp("table", "shop.things")
    assert "hunter2" not in shown.out
    assert "hunter2" not in dp("table", "shop.things", "--json").out


def test_the_history_is_newest_first_with_what_each_commit_did(dp, lake):
    table = make_things(lake.catalog)
    with table.manage_snapshots() as manage:
        manage.create_tag(table.snapshots()[0].snapshot_id, "first")
    rows = dp("table", "shop.things", "--history", "--json").json
    assert [row["snapshot"] for row in rows] == [
        str(s.snapshot_id) for s in reversed(table.metadata.snapshots)
    ]
    assert [row["operation"] for row in rows] == ["overwrite", "append", "append"]
    assert [row["rows"] for row in rows] == [24, 25, 20]
    assert [row["added"] for row in rows][1:] == [5, 20]
    assert [row["refs"] for row in rows] == ["main", None, "first"]


def test_the_history_names_the_run_that_committed(dp, lake):
    written = write_airlines(lake)
    [row] = dp("table", "raw.airlines", "--history", "--json").json
    assert row["snapshot"] == str(written.snapshot_id)
    assert row["run"] == "run-1"
    assert row["partition"] == "*"


@pytest.mark.parametrize("name", ["raw.airlinse", "airlines", "RAW.AIRLINES"])
def test_a_wrong_name_gets_the_nearest_one(dp, filled, name):
    done = dp("table", name)
    assert done.code == 2
    assert f"there is no table {name}" in done.err
    assert "did you mean raw.airlines?" in done.err


def test_a_table_whose_manifests_are_gone_is_described_all_the_same(dp, lake):
    table = make_things(lake.catalog)
    [manifest, *_] = table.current_snapshot().manifests(table.io)
    local_path(manifest.manifest_path).unlink()
    done = dp("table", "shop.things")
    assert done.code == 0
    assert "the manifests cannot be read" in done.out


def test_a_table_without_metadata_says_which_file(dp, lake):
    location = make_things(lake.catalog).metadata_location
    local_path(location).unlink()
    done = dp("table", "shop.things")
    assert done.code == 3
    assert f"metadata file {location} is missing" in done.err
    assert "dp doctor" in done.err
