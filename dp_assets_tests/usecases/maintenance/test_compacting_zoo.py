"""Every table of the zoo planned, rewritten and committed for real, and read as Spark read it."""

import json
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest

from dp_assets.domains.maintenance.heads import head_of
from dp_assets_tests.adapters.maintenance.rewriting import rewritten
from dp_assets_tests.adapters.orders import Lake
from dp_assets_tests.usecases.maintenance.compacting import around, closure_of, commit
from dp_assets_tests.usecases.maintenance.moved_zoo import Moved, lineage, moved
from dp_assets_tests.zoo import DATA, TABLES

SPARK: Mapping[str, str] = json.loads((DATA / "expected.json").read_text(encoding="utf-8"))
NAMES = [name for name in TABLES if name != "empty"]


@pytest.fixture
def opened(tmp_path: Path) -> Generator[Lake, None, None]:
    with Lake(tmp_path) as made:
        made.catalog.create_namespace("zoo")
        yield made


def compacted(table: Moved, name: str) -> int | None:
    found = rewritten(table.pointer, table.lake.folder, name=f"zoo.{name}")
    done = commit(around(table.lake.catalog), found.plan, list(found.groups))
    assert (found.plan.left, done.dropped) == ((), ())
    assert max(len(group.written) for group in done.groups) == 1
    return done.snapshot_id


@pytest.mark.parametrize("name", NAMES)
def test_two_readers_read_what_spark_read(opened: Lake, name: str):
    """At the head, at every snapshot and ref before it; a row of version 3 keeps its lineage."""
    table = moved(opened, name)
    before = table.readings()
    of_rows = lineage(table) if name == "v3_dv" else []
    ours = f"snapshot {compacted(table, name)}"
    after = table.readings()
    for one, other in zip(before, after, strict=True):
        head = one["current"] if name == "v3_dv" else SPARK[f"zoo.{name} current"]
        assert {other["current"], other[ours]} == {head}
        older = {key: said for key, said in other.items() if key not in (ours, "current")}
        assert {**older, "ref main": ""} == {
            **{key: said for key, said in one.items() if key != "current"},
            "ref main": "",
        }
    if of_rows:
        assert lineage(table) == of_rows
    assert head_of(closure_of(table.pointer)).deletes == ()


def test_a_compaction_of_a_compaction_keeps_the_lineage(opened: Lake):
    table = moved(opened, "v3_dv")
    before = lineage(table)
    compacted(table, "v3_dv")
    compacted(table, "v3_dv")
    assert lineage(table) == before


def test_rows_of_an_upgraded_table_get_ids_once(opened: Lake):
    """Before its first commit of version 3 no row has one; from then on they stay."""
    table = moved(opened, "types")
    upgrade(table)
    compacted(table, "types")
    ids = lineage(table)
    rows = len(ids)
    compacted(table, "types")
    assert lineage(table) == ids
    assert table.raw["next-row-id"] == 2 * rows
    found = [reading["current"] for reading in table.readings()]
    assert found == [SPARK["zoo.types current"]] * 2


def upgrade(table: Moved) -> None:
    path = Path(table.pointer)
    path.write_text(json.dumps({**table.raw, "format-version": 3, "next-row-id": 0}))
