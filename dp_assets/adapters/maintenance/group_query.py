"""The rows of a group as one query: every input by its own schema, without its deleted rows."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from dp_assets.adapters.maintenance.engine_files import engine_path, engine_trees
from dp_assets.adapters.maintenance.equality_tables import EqualityTables, key_name
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source, quoted, refused
from dp_assets.adapters.maintenance.parquet_tree import Node, has_ids, with_mapped_ids
from dp_assets.adapters.maintenance.projection import Projection, identity_values
from dp_assets.adapters.maintenance.row_lineage import LAST_UPDATED, ROW_ID, written_schema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import duckdb
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField
    from pyroaring import BitMap64

    from dp_assets.adapters.maintenance.equality_tables import EqualityTable
    from dp_assets.ports.compaction import Group

NAME_MAPPING = "schema.name-mapping.default"
_DELETED, _INPUTS = "deleted_rows", "input_files"
_FILE, _ROW, _NUMBER = "__dp_file", "file_row_number", "__dp_number"


class GroupQuery:
    """Makes the query of one group.

    Args:
        connection: reads footers, holds what is deleted, runs the query.
        metadata: the table's, Iceberg's JSON.
        schema: the current one.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, metadata: Mapping[str, Any], schema: Schema
    ) -> None:
        self._connection = connection
        self._metadata = metadata
        self._schema = schema
        written = written_schema(schema, metadata["format-version"])
        self._names = [quoted(field.name) for field in written.fields]
        self._lineage = written.fields[len(schema.fields) :]
        self._equality = EqualityTables(connection, metadata, schema)

    def sql(self, group: Group, deleted: Mapping[str, BitMap64]) -> str:
        """A query for the live rows in the columns of new files.

        Args:
            group: what to read.
            deleted: positions by path of the input.

        Raises:
            CompactionRefusedError: a file cannot be read exactly.
            PermanentError: a file is gone or no Parquet.
        """
        paths = {engine_path(file.path): file.path for file in group.inputs}
        trees = self._trees(list(paths))
        self._hold_deleted(deleted)
        self._hold_inputs(group)
        equality = self._equality.of(group)
        keys = {field.field_id: field for one in equality for field in one.fields}
        identity = identity_values(self._metadata, group.spec_id, group.partition)
        projection = Projection(self._schema, identity)
        alike: defaultdict[tuple[bool, tuple[Node, ...]], list[str]] = defaultdict(list)
        for path, location in paths.items():
            alike[location in deleted, trees[path]].append(path)
        selects = (
            _Select(projection, nodes, files, self._lineage, tuple(keys.values()), with_deletes)
            for (with_deletes, nodes), files in alike.items()
        )
        rows = " UNION ALL ".join(select.sql() for select in selects)
        return self._undeleted(rows, equality) if equality else rows

    def _undeleted(self, rows: str, equality: Sequence[EqualityTable]) -> str:
        joins = " ".join(one.anti_join("t", number=_NUMBER) for one in equality)
        return f"SELECT {', '.join(self._names)} FROM ({rows}) AS t {joins}"  # noqa: S608 - quoted

    def _trees(self, paths: Sequence[str]) -> Mapping[str, tuple[Node, ...]]:
        mapping = (self._metadata.get("properties") or {}).get(NAME_MAPPING)
        found: dict[str, tuple[Node, ...]] = {}
        for path, nodes in engine_trees(self._connection, paths).items():
            if not has_ids(nodes):
                if not mapping:
                    raise refused("files without field ids, in a table without a name mapping,")
                nodes = with_mapped_ids(nodes, json.loads(mapping))
            found[path] = nodes
        return found

    def _hold_deleted(self, deleted: Mapping[str, BitMap64]) -> None:
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

    def _hold_inputs(self, group: Group) -> None:
        """Have at hand what the manifests say of each input."""
        columns = {
            "path": pa.array([engine_path(file.path) for file in group.inputs]),
            "number": pa.array([file.sequence_number for file in group.inputs], pa.int64()),
            "first_row_id": pa.array([file.first_row_id for file in group.inputs], pa.int64()),
        }
        self._connection.register(_INPUTS, pa.table(columns))


@dataclass(frozen=True, slots=True)
class _Select:
    """The rows of files that are read alike.

    Attributes:
        nodes: the files' columns.
        lineage: the columns to write it to; empty before version 3.
        keys: columns that equality deletes compare.
        with_deletes: rows are deleted by position.
    """

    projection: Projection
    nodes: tuple[Node, ...]
    paths: Sequence[str]
    lineage: tuple[NestedField, ...]
    keys: tuple[NestedField, ...]
    with_deletes: bool

    def sql(self) -> str:
        columns = ", ".join(self._columns())
        source, joins = parquet_source(self.paths, *self._options()), ""
        if self.lineage or self.keys:
            joins += f" JOIN {_INPUTS} AS f ON f.path = r.{_FILE}"
        if self.with_deletes:
            # Not a subquery: DuckDB would gather all rows before it looks for the first.
            joins += f" ANTI JOIN {_DELETED} AS d ON d.path = r.{_FILE} AND d.place = r.{_ROW}"
        return f"SELECT {columns} FROM {source} AS r{joins}"  # noqa: S608 - quoted

    def _columns(self) -> Iterator[str]:
        yield from self.projection.columns(self.nodes, source="r")
        for field in self.lineage:
            yield f"{self._lineage_of(field)} AS {quoted(field.name)}"
        for key in self.keys:
            yield f"{self.projection.column(key, self.nodes, source='r')} AS {key_name(key)}"
        if self.keys:
            yield f"f.number AS {_NUMBER}"

    def _lineage_of(self, field: NestedField) -> str:
        """What the file says of a row, else its place; nothing where the file has no row ids."""
        place = {ROW_ID: f"f.first_row_id + r.{_ROW}", LAST_UPDATED: "f.number"}[field.field_id]
        stored = self.projection.column(field, self.nodes, source="r")
        return f"CASE WHEN f.first_row_id IS NOT NULL THEN coalesce({stored}, {place}) END"

    def _options(self) -> Iterator[str]:
        asked: dict[str, str] = {}
        if self.lineage or self.keys or self.with_deletes:
            asked[_FILE] = f"filename='{_FILE}'"
        if self.lineage or self.with_deletes:
            asked[_ROW] = f"{_ROW}=true"
        self._require_free(asked)
        yield from asked.values()

    def _require_free(self, names: Collection[str]) -> None:
        for name in {node.name.lower() for node in self.nodes}.intersection(names):
            raise refused(f"files with a column {name}, whose rows must be told apart,")
