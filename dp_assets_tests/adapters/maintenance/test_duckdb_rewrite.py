"""New files hold each live row of the old ones once: sorted, sized, placed as the table wants."""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.table.sorting import NullOrder
from pyiceberg.transforms import IdentityTransform, TruncateTransform
from pyiceberg.types import (
    LongType,
    NestedField,
    StringType,
)

from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.ports.compaction import CompactionRefusedError
from dp_assets_tests.adapters.maintenance.rewriting import (
    SIMPLE,
    append,
    delete_positions,
    local,
    new_table,
    parquet_files,
    paths_of,
    rewritten,
)


@pytest.fixture
def simple(tmp_path: Path) -> Iterator[Table]:
    with new_table(tmp_path, SIMPLE) as made:
        yield made


def test_deleted_rows_are_gone_but_not_those_that_came_later(simple: Table, tmp_path: Path):
    append(simple, *({"id": n} for n in range(4)))
    [first] = paths_of(simple)
    delete_positions(simple, [(first, 1), (first, 3), ("/elsewhere", 0)])
    append(simple, {"id": 10}, {"id": 11})
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == found.rows_before()
    assert [file.records for file in found.files] == [4]


def test_a_delete_of_a_path_that_is_spelled_otherwise_is_none(simple: Table, tmp_path: Path):
    append(simple, {"id": 1}, {"id": 2})
    [path] = paths_of(simple)
    delete_positions(simple, [(path.removeprefix("file://"), 0)])
    found = rewritten(simple.metadata_location, tmp_path)
    assert found.rows() == found.rows_before()
    assert [file.records for file in found.files] == [2]


def test_a_group_without_live_rows_has_no_files(simple: Table, tmp_path: Path):
    append(simple, {"id": 1}, {"id": 2})
    [path] = paths_of(simple)
    delete_positions(simple, [(path, 0), (path, 1)])
    before = parquet_files(tmp_path)
    found = rewritten(simple.metadata_location, tmp_path)
    assert (len(found.groups), found.files) == (1, [])
    assert parquet_files(tmp_path) == before


@pytest.mark.parametrize("seed", range(8))
def test_random_tables_keep_their_rows(tmp_path: Path, seed: int):
    """Appends, position deletes, copied deletes and schema changes in any order."""
    chance = random.Random(seed)  # noqa: S311 - a test
    with new_table(tmp_path, SIMPLE) as table:
        for step in range(chance.randint(4, 9)):
            append(table, *(random_row(table, chance) for _ in range(chance.randint(1, 30))))
            change_somehow(table, chance, step)
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before(), f"seed {seed}"
        assert sum(file.records for file in found.files) == len(found.rows_before())


def random_row(table: Table, chance: random.Random) -> dict[str, Any]:
    some: dict[str, list[Any]] = {
        "long": [0, -5, 2**40],
        "string": ["", "a", "é" * 30],
        "double": [math.nan, -0.0, 1.5],
    }
    kinds = {f.name: str(f.field_type) for f in table.schema().fields}
    return {name: chance.choice([None, *some[kind]]) for name, kind in kinds.items()}


def change_somehow(table: Table, chance: random.Random, step: int) -> None:
    fields = [f.name for f in table.schema().fields if f.name != "id"]
    match chance.randrange(5):
        case 0:
            with table.update_schema() as update:
                update.add_column(f"new{step}", chance.choice([LongType(), StringType()]))
        case 1 if fields:
            with table.update_schema() as update:
                update.rename_column(chance.choice(fields), f"other{step}")
        case 2 if fields:
            with table.update_schema() as update:
                update.delete_column(chance.choice(fields))
        case 3:
            table.delete("id < 0")
        case _:
            files = {t.file.file_path: t.file.record_count for t in table.scan().plan_files()}
            all_rows = [(path, n) for path, rows in files.items() for n in range(rows)]
            delete_positions(table, chance.sample(all_rows, min(5, len(all_rows))))


def test_large_groups_become_files_of_about_the_target(simple: Table, tmp_path: Path):
    chance = random.Random(1)  # noqa: S311 - a test
    rows = [{"id": n, "text": chance.randbytes(20).hex()} for n in range(60_000)]
    for start in range(0, 60_000, 6_000):
        append(simple, *rows[start : start + 6_000])
    rule = CompactionRule(target=lambda _: 500_000, small=2.0)
    found = rewritten(simple.metadata_location, tmp_path, rule)
    assert found.rows() == found.rows_before()
    assert found.groups[0].group.outputs > 2
    assert len(found.files) in (found.groups[0].group.outputs, found.groups[0].group.outputs + 1)


def test_rows_are_sorted_as_the_table_says(simple: Table, tmp_path: Path):
    for n in range(5):
        append(simple, {"id": 5 - n, "text": "b2"}, {"id": n, "text": "a9"}, {"id": None})
    with simple.update_sort_order() as update:
        update.desc("text", TruncateTransform(1), NullOrder.NULLS_LAST)
        update.asc("id", IdentityTransform(), NullOrder.NULLS_FIRST)
    found = rewritten(simple.metadata_location, tmp_path)
    [file] = found.files
    rows = pq.read_table(local(file.path)).to_pydict()
    assert rows["text"] == ["b2"] * 5 + ["a9"] * 5 + [None] * 5
    assert rows["id"] == [1, 2, 3, 4, 5, 0, 1, 2, 3, 4] + [None] * 5
    assert file.sort_order_id == simple.sort_order().order_id == 1


@pytest.mark.parametrize("name", ["file_row_number", "filename", "file_index", "__dp_file"])
def test_columns_may_be_called_as_duckdb_calls_its_own(tmp_path: Path, name: str):
    schema = Schema(NestedField(1, name, LongType(), required=False))
    with new_table(tmp_path, schema) as table:
        append(table, {name: 5}, {name: 0})
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before()
        delete_positions(table, [(paths_of(table)[0], 0)])
        if name in ("file_row_number", "__dp_file"):
            with pytest.raises(CompactionRefusedError, match=name):
                rewritten(table.metadata_location, tmp_path)
        else:
            found = rewritten(table.metadata_location, tmp_path)
            assert found.rows() == found.rows_before() == [f"{{{name}: 0}}"]


def test_new_files_are_where_the_table_wants_them(tmp_path: Path):
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "text"))
    elsewhere = f"file://{tmp_path}/else/where"
    with new_table(tmp_path, SIMPLE, spec=spec, properties={"write.data.path": elsewhere}) as table:
        append(table, {"id": 1, "text": "a/../b, c=d"}, {"id": 2, "text": ".."})
        found = rewritten(table.metadata_location, tmp_path)
        assert found.rows() == found.rows_before()
        for file in found.files:
            assert file.path.startswith(f"{elsewhere}/text=")
            assert local(file.path).resolve().is_relative_to(tmp_path / "else/where")


def test_what_two_plans_write_never_meets(simple: Table, tmp_path: Path):
    append(simple, {"id": 1})
    one, other = (rewritten(simple.metadata_location, tmp_path) for _ in range(2))
    assert one.rows() == other.rows()
    assert one.files[0].path != other.files[0].path


def test_paths_are_no_patterns(tmp_path: Path):
    """Folders that a pattern would also find hold other rows."""
    pointers: dict[str, str] = {}
    for name in ("lake [ab]*", "lake a1"):
        folder = tmp_path / name
        folder.mkdir()
        with new_table(folder, SIMPLE) as table:
            append(table, {"id": 1, "text": name}, {"id": 2, "text": "it's"})
            [path] = paths_of(table)
            delete_positions(table, [(path, 0)])
            pointers[name] = table.metadata_location
    found = rewritten(pointers["lake [ab]*"], tmp_path)
    assert found.rows() == found.rows_before()
    assert [file.records for file in found.files] == [1]


def test_the_memory_limit_is_kept(simple: Table, tmp_path: Path):
    """Decoded, the rows take five times as much."""
    text = pa.array([f"{n:03}" * 100 for n in range(1000)])
    for first in range(4):
        numbers = pa.array(range(first, 500_000 + first, 4))
        chosen = text.take(pa.array([n * 7919 % 1000 for n in range(125_000)]))
        nothing = pa.nulls(125_000, pa.float64())
        simple.append(pa.table({"id": numbers, "text": chosen, "f": nothing}))
    found = rewritten(simple.metadata_location, tmp_path, memory_limit="64MB")
    assert sum(file.records for file in found.files) == 500_000
    before = parquet_files(tmp_path)
    with pytest.raises(PermanentError, match="more memory"):
        rewritten(simple.metadata_location, tmp_path, memory_limit="1MB")
    assert parquet_files(tmp_path) == before
