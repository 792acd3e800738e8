import logging
import subprocess
import sys

import dagster as dg
import pytest

from dp_assets import keys
from dp_assets.adapters.inventory_state import write_inventory
from dp_assets.core.ids import TableId
from dp_assets.defs.lake.discovered import external_assets, tables_found
from dp_assets.ports.inventory import Column, Inventory, TableFacts

COLUMNS = (Column("id", "long", required=True, doc="Key."), Column("tags", "list<string>"))


def spec_of(name: str = "raw.flights", **facts) -> dg.AssetSpec:
    [spec] = external_assets([TableFacts(TableId.parse(name), "p", **facts)])
    return spec


def load(specs):
    return dg.Definitions(assets=list(specs)).resolve_asset_graph()


def test_a_table_of_ours_hangs_on_the_asset_that_writes_it():
    spec = spec_of(
        writer="raw/flights",
        adopted=True,
        owner="team:lakehouse",
        comment="One row per flight.",
        location="s3://b/flights",
        columns=COLUMNS,
    )
    assert spec.key == dg.AssetKey(["lake", "raw", "flights"])
    assert [dep.asset_key for dep in spec.deps] == [keys.RAW_FLIGHTS]
    assert (spec.group_name, spec.kinds) == ("tables", {"iceberg"})
    assert list(spec.owners) == ["team:lakehouse"]
    assert spec.description.startswith("One row per flight.")
    assert "reloaded" in spec.description
    assert spec.metadata["dagster/table_name"] == "raw.flights"
    assert spec.metadata["dagster/uri"] == "s3://b/flights"
    first, second = spec.metadata["dagster/column_schema"].columns
    assert (first.name, first.type, first.description) == ("id", "long", "Key.")
    assert (first.constraints.nullable, second.constraints.nullable) == (False, True)


def test_a_foreign_table_says_so_and_hangs_on_nothing():
    spec = spec_of("deep.er.t", owner="root")
    assert spec.key == dg.AssetKey(["lake", "deep", "er", "t"])
    assert (list(spec.deps), list(spec.owners)) == ([], [])
    assert "Foreign" in spec.description
    assert spec.metadata["owner"] == "root"


def test_a_broken_table_is_there_with_its_problem():
    spec = spec_of(problem="metadata file x is empty")
    assert "metadata file x is empty" in spec.description


@pytest.mark.parametrize("writer", ["lake/raw/flights", "/", "lake/inventory"])
def test_a_writer_property_cannot_make_a_cycle(writer):
    assert list(spec_of(writer=writer).deps) == []


@pytest.mark.parametrize("name", ['raw.a b"c', "raw.größe", "raw.p-1", "raw.a/b", "raw.x\ty"])
@pytest.mark.parametrize("owner", ["", "team:", "a@b", "someone@example.org", "team:x\ny"])
def test_no_name_or_owner_of_a_foreign_table_stops_the_location(name, owner):
    spec = spec_of(name, owner=owner, columns=(Column("", ""), Column("", "")))
    assert load([spec]).external_asset_keys == {spec.key}


def test_equal_columns_share_one_schema():
    one, two = external_assets(
        TableFacts(TableId("raw", name), "p", columns=tuple(Column(*c) for c in COLUMNS))
        for name in ("a", "b")
    )
    assert one.metadata["dagster/column_schema"] is two.metadata["dagster/column_schema"]


@pytest.fixture
def state_file(lake, monkeypatch):
    monkeypatch.setenv("DP_CONFIG", str(lake.config))
    return lake.state_file


def test_the_saved_state_is_what_is_shown(state_file):
    table = TableId("raw", "flights")
    write_inventory(state_file, Inventory({table: TableFacts(table, "p", columns=COLUMNS)}))
    assert [spec.key.to_user_string() for spec in tables_found()] == ["lake/raw/flights"]


@pytest.mark.parametrize(("content", "warnings"), [(None, 0), (b"{", 1)])
def test_missing_state_shows_nothing_and_damaged_state_warns_once(
    state_file, caplog, content, warnings
):
    if content:
        state_file.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert tables_found() == []
    assert len(caplog.records) == warnings


def test_loading_imports_no_engine(state_file):
    write_inventory(state_file, Inventory())
    modules = ", ".join(f"dp_assets.defs.lake.{m}" for m in ("assets", "checks", "automation"))
    code = f"""
import sys, {modules}
from dp_assets.defs.lake.discovered import tables_found
tables_found()
print(*sys.modules)
"""
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert not {"pyiceberg", "pyarrow", "duckdb"} & set(loaded.stdout.split())
