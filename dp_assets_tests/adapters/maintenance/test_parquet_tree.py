"""Columns of files are what they mean, however lists and maps are spelled."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dp_assets.adapters.maintenance.parquet_tree import (
    Node,
    Shape,
    column_trees,
    escaped,
    has_ids,
    with_mapped_ids,
)
from dp_assets.ports.compaction import CompactionRefusedError


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as found:
        yield found


def leaf(name: str, kind: str, field_id: int | None = None) -> Node:
    return Node(name, field_id, Shape.LEAF, kind)


COLUMNS = {
    "a": pa.array([1], pa.int32()),
    "l": pa.array([[1.5]]),
    "m": pa.array([[("k", {"x": b"b"})]], pa.map_(pa.string(), pa.struct({"x": pa.binary()}))),
    "s": pa.array([{"y": [[1]]}], pa.struct({"y": pa.list_(pa.list_(pa.int64()))})),
}


@pytest.mark.parametrize("nested", [True, False], ids=["three-levels", "legacy-name"])
def test_shapes(connection: duckdb.DuckDBPyConnection, tmp_path: Path, nested: bool):
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table(COLUMNS), path, use_compliant_nested_type=nested)
    [nodes] = column_trees(connection, [path]).values()
    element = "element" if nested else "item"
    inner = Node(element, None, Shape.LIST, "", (leaf(element, "BIGINT"),))
    assert nodes == (
        leaf("a", "INTEGER"),
        Node("l", None, Shape.LIST, "", (leaf(element, "DOUBLE"),)),
        Node(
            "m",
            None,
            Shape.MAP,
            "",
            (leaf("key", "VARCHAR"), Node("value", None, Shape.STRUCT, "", (leaf("x", "BLOB"),))),
        ),
        Node("s", None, Shape.STRUCT, "", (Node("y", None, Shape.LIST, "", (inner,)),)),
    )
    assert not has_ids(nodes)


def test_files_alike_are_equal_and_others_are_not(connection, tmp_path: Path):
    for name, kind, field_id in (
        ("a", "int", 1),
        ("b", "int", 1),
        ("c", "bigint", 1),
        ("d", "int", 2),
    ):
        connection.execute(
            f"COPY (SELECT 1::{kind} AS x) TO '{tmp_path}/{name}' "
            f"(FORMAT parquet, FIELD_IDS {{x: {field_id}}})"
        )
    found = column_trees(connection, [f"{tmp_path}/{name}" for name in "abcd"])
    a, b, c, d = (found[f"{tmp_path}/{name}"] for name in "abcd")
    assert a == b == (leaf("x", "INTEGER", 1),)
    assert len({a, c, d}) == 3
    assert has_ids(a)


def test_a_name_mapping_gives_ids_at_every_level(connection, tmp_path: Path):
    pq.write_table(pa.table(COLUMNS), tmp_path / "a", use_compliant_nested_type=False)
    [nodes] = column_trees(connection, [str(tmp_path / "a")]).values()
    mapping = [
        {"field-id": 1, "names": ["old", "a"]},
        {"field-id": 2, "names": ["l"], "fields": [{"field-id": 3, "names": ["element"]}]},
        {
            "field-id": 4,
            "names": ["m"],
            "fields": [
                {"field-id": 5, "names": ["key"]},
                {"field-id": 6, "names": ["value"], "fields": [{"field-id": 7, "names": ["x"]}]},
            ],
        },
    ]
    a, items, pairs, struct = with_mapped_ids(nodes, mapping)
    assert a == leaf("a", "INTEGER", 1)
    assert items == Node("l", 2, Shape.LIST, "", (leaf("item", "DOUBLE", 3),))
    value = Node("value", 6, Shape.STRUCT, "", (leaf("x", "BLOB", 7),))
    assert pairs == Node("m", 4, Shape.MAP, "", (leaf("key", "VARCHAR", 5), value))
    assert (struct.field_id, struct.children[0].field_id) == (None, None)


@pytest.mark.parametrize("names", [("a", "A"), ("größe", "GRÖSSE")])
def test_names_that_differ_only_in_case_are_refused(connection, tmp_path: Path, names):
    inside = pa.table({"s": pa.array([dict.fromkeys(names, 1)])})
    for rows in (pa.table({name: [1] for name in names}), inside):
        pq.write_table(rows, tmp_path / "a")
        with pytest.raises(CompactionRefusedError, match="differ only in case"):
            column_trees(connection, [str(tmp_path / "a")])


def test_a_pattern_finds_the_file_of_that_name(connection, tmp_path: Path):
    for name in ("a[b]*?", "ab", "abc", "a"):
        pq.write_table(pa.table({name: [1]}), tmp_path / name)
    path = str(tmp_path / "a[b]*?")
    assert list(column_trees(connection, [escaped(path)])) == [path]
