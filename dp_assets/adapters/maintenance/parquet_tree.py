"""The columns of Parquet files as trees with field ids, read by DuckDB from footers alone.

Lists and maps are what they mean, not the groups that spell them.

Source: parquet-format, "LogicalTypes", lists and maps with their backward-compatibility rules.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from dp_assets.ports.compaction import CompactionRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import duckdb

Json = dict[str, Any]
_QUERY = """
SELECT file_name, name, duckdb_type, num_children, field_id, repetition_type,
       converted_type, coalesce(logical_type, '')
FROM parquet_schema(?)
"""


class Shape(StrEnum):
    """What a node of a schema is."""

    LEAF = "leaf"
    STRUCT = "struct"
    LIST = "list"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Node:
    """A column, or what is inside one; two nodes are equal when DuckDB reads them alike.

    Attributes:
        type: of a leaf, as DuckDB reads it.
        children: fields; the element of a list; key and value of a map.
    """

    name: str
    field_id: int | None
    shape: Shape
    type: str = ""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class _Element:
    """A line of the footer's schema with those below it."""

    name: str
    type: str | None
    field_id: int | None
    repeated: bool
    means: str
    children: list[_Element]


def column_trees(
    connection: duckdb.DuckDBPyConnection, paths: Sequence[str]
) -> dict[str, tuple[Node, ...]]:
    """The columns of each file, by its path.

    Args:
        connection: reads the footers.
        paths: as DuckDB is to open them; patterns are escaped.

    Raises:
        CompactionRefusedError: names differ only in case, which DuckDB does not tell apart.
    """
    lines: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for path, *line in connection.execute(_QUERY, [list(paths)]).fetchall():
        lines[path].append(tuple(line))
    same: dict[tuple[Node, ...], tuple[Node, ...]] = {}
    found: dict[str, tuple[Node, ...]] = {}
    for path, of_file in lines.items():
        root = _element(iter(of_file))
        nodes = tuple(_node(child) for child in root.children)
        _require_distinct(nodes, path)
        found[path] = same.setdefault(nodes, nodes)
    return found


def has_ids(nodes: Iterable[Node]) -> bool:
    """Whether any column has a field id; a file with none of them is read by names."""
    return any(node.field_id is not None or has_ids(node.children) for node in nodes)


def with_mapped_ids(nodes: Iterable[Node], mapping: Sequence[Json]) -> tuple[Node, ...]:
    """Columns without ids, with those that a name mapping gives their names.

    Source: Iceberg table specification, "Column Projection", ``schema.name-mapping.default``.
    """
    return tuple(_with_mapped_id(node, mapping) for node in nodes)


def escaped(path: str) -> str:
    """``path`` for DuckDB, which would take it for a pattern."""
    return path.replace("[", "[[]").replace("*", "[*]").replace("?", "[?]")


def _with_mapped_id(node: Node, mapping: Sequence[Json]) -> Node:
    found: Json = next((one for one in mapping if node.name in one["names"]), {})
    inner: list[Json] = found.get("fields") or []
    names = {Shape.LIST: ("element",), Shape.MAP: ("key", "value")}.get(node.shape)
    children = (
        tuple(
            # The mapping calls them so, whatever the file calls them.
            _renamed(_with_mapped_id(_renamed(child, name), inner), child.name)
            for child, name in zip(node.children, names, strict=True)
        )
        if names
        else with_mapped_ids(node.children, inner)
    )
    return Node(node.name, found.get("field-id"), node.shape, node.type, children)


def _renamed(node: Node, name: str) -> Node:
    return Node(name, node.field_id, node.shape, node.type, node.children)


def _element(lines: Iterator[tuple[Any, ...]]) -> _Element:
    name, kind, count, field_id, repetition, converted, logical = next(lines)
    return _Element(
        name=name,
        type=kind,
        field_id=field_id,
        repeated=repetition == "REPEATED",
        means=converted or logical,
        children=[_element(lines) for _ in range(count or 0)],
    )


def _node(element: _Element) -> Node:
    """A list where the element itself repeats without being called a list."""
    inner = _single(element)
    return (
        Node(element.name, element.field_id, Shape.LIST, "", (inner,))
        if element.repeated
        else inner
    )


def _single(element: _Element) -> Node:
    name, field_id = element.name, element.field_id
    if not element.children:
        return Node(name, field_id, Shape.LEAF, element.type or "")
    middle = element.children[0]
    if element.means.startswith("LIST") and len(element.children) == 1 and middle.repeated:
        return Node(name, field_id, Shape.LIST, "", (_list_element(element, middle),))
    if element.means.startswith("MAP") and len(middle.children) == 2:  # key and value
        return Node(name, field_id, Shape.MAP, "", tuple(_node(one) for one in middle.children))
    return Node(name, field_id, Shape.STRUCT, "", tuple(_node(one) for one in element.children))


def _list_element(around: _Element, middle: _Element) -> Node:
    itself = len(middle.children) != 1 or middle.name in ("array", f"{around.name}_tuple")
    return _single(middle) if itself else _node(middle.children[0])


def _require_distinct(nodes: Iterable[Node], path: str) -> None:
    names = Counter(node.name.casefold() for node in nodes)
    for name, count in names.items():
        if count > 1:
            raise CompactionRefusedError(
                f"{path} has columns named {name} that differ only in case",
                hint="such files stay as they are",
            )
    for node in nodes:
        _require_distinct(node.children, path)
