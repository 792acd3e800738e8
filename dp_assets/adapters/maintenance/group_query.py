"""The rows of a group as one query: every input by its own schema, without its deleted rows."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source, refused
from dp_assets.adapters.maintenance.parquet_tree import (
    Node,
    column_trees,
    escaped,
    has_ids,
    with_mapped_ids,
)
from dp_assets.adapters.maintenance.projection import Projection, identity_values
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb
    from pyiceberg.schema import Schema
    from pyroaring import BitMap64

    from dp_assets.ports.compaction import Group

NAME_MAPPING = "schema.name-mapping.default"
_DELETED = "deleted_rows"
_FILE, _ROW = "__dp_file", "file_row_number"


def engine_path(location: str) -> str:
    """A file of a table as DuckDB opens it."""
    path = local_path(location)
    return one_spelling(location) if path is None else str(path)


class GroupQuery:
    """Makes the query of one group.

    Args:
        connection: reads footers, holds the deleted positions, runs the query.
        metadata: the table's, Iceberg's JSON.
        schema: the current one.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, metadata: Mapping[str, Any], schema: Schema
    ) -> None:
        self._connection = connection
        self._metadata = metadata
        self._schema = schema

    def sql(self, group: Group, deleted: Mapping[str, BitMap64]) -> str:
        """A query for the live rows in the table's columns.

        Args:
            group: what to read.
            deleted: positions by path of the input.

        Raises:
            CompactionRefusedError: a file cannot be read exactly.
            PermanentError: a file is gone or no Parquet.
        """
        paths = {engine_path(file.path): file.path for file in group.inputs}
        trees = self._trees(list(paths))
        self._hold(deleted)
        identity = identity_values(self._metadata, group.spec_id, group.partition)
        projection = Projection(self._schema, identity)
        alike: defaultdict[tuple[bool, tuple[Node, ...]], list[str]] = defaultdict(list)
        for path, location in paths.items():
            alike[location in deleted, trees[path]].append(path)
        return " UNION ALL ".join(
            self._select(projection, nodes, files, with_deletes=with_deletes)
            for (with_deletes, nodes), files in alike.items()
        )

    def _trees(self, paths: Sequence[str]) -> Mapping[str, tuple[Node, ...]]:
        trees = column_trees(self._connection, [escaped(path) for path in paths])
        if lost := set(paths) - set(trees):
            raise PermanentError(
                f"{min(lost)} is not what DuckDB opens by that name",
                hint="'dp repair' finds damage",
            )
        mapping = (self._metadata.get("properties") or {}).get(NAME_MAPPING)
        found: dict[str, tuple[Node, ...]] = {}
        for path, nodes in trees.items():
            if not has_ids(nodes):
                if not mapping:
                    raise refused("files without field ids, in a table without a name mapping,")
                nodes = with_mapped_ids(nodes, json.loads(mapping))
            found[path] = nodes
        return found

    def _hold(self, deleted: Mapping[str, BitMap64]) -> None:
        """Keep deleted positions in a table of DuckDB's, which spills when it must."""
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {_DELETED} (path VARCHAR, place BIGINT)"
        )
        for location, positions in deleted.items():
            held = positions.to_array()
            column = pa.Array.from_buffers(pa.int64(), len(held), [None, pa.py_buffer(held)])
            self._connection.register("positions", pa.table({"place": column}))
            self._connection.execute(
                f"INSERT INTO {_DELETED} SELECT ?, place FROM positions",  # noqa: S608 - our names
                [engine_path(location)],
            )
            self._connection.unregister("positions")

    def _select(
        self,
        projection: Projection,
        nodes: tuple[Node, ...],
        paths: Sequence[str],
        *,
        with_deletes: bool,
    ) -> str:
        columns = ", ".join(projection.columns(nodes, source="r"))
        if not with_deletes:
            return f"SELECT {columns} FROM {parquet_source(paths)} AS r"  # noqa: S608 - quoted
        if {node.name.lower() for node in nodes} & {_FILE, _ROW}:
            raise refused(f"files that have both deleted rows and a column {_FILE} or {_ROW}")
        source = parquet_source(paths, f"filename='{_FILE}'", f"{_ROW}=true")
        return (
            f"SELECT {columns} FROM {source} AS r WHERE NOT EXISTS ("  # noqa: S608 - quoted
            f"SELECT 1 FROM {_DELETED} AS d WHERE d.path = r.{_FILE} AND d.place = r.{_ROW})"
        )
