"""The proof that new files hold what their group held, before anything names them.

The source is read by :class:`SourceRows`, most of which is PyIceberg; the result is read by DuckDB.
Both are hashed by one function.
Names of columns say nothing to other readers, so the field ids in the new files are compared as
well, and their statistics with their data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.types import ListType, MapType, PrimitiveType, StructType

from dp_assets.adapters.maintenance.column_bounds import Bounds, answered_bounds, asked_bounds
from dp_assets.adapters.maintenance.group_differences import different, of_rows, of_statistics
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source
from dp_assets.adapters.maintenance.parquet_tree import Node, column_trees, escaped
from dp_assets.adapters.maintenance.source_rows import SourceRows
from dp_assets.adapters.objects.copying import StoppedError, Workers
from dp_assets.adapters.recovery.duckdb_row_hash import RowHashes, row_hash_query
from dp_assets.adapters.recovery.reading_proof import NOT_ABLE, PIECE_BYTES, READING, pieces
from dp_assets.core.errors import PermanentError
from dp_assets.ports.compaction import CompactionRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from threading import Event

    import duckdb
    import pyarrow as pa
    from pyiceberg.table import Table
    from pyiceberg.types import IcebergType, NestedField

    from dp_assets.adapters.maintenance.file_statistics import MeasuredFile
    from dp_assets.ports.compaction import Group

_PIECE = "source_piece"
# Files up to this size are read two at a time; of larger ones the rows of one are enough to hold.
_LANES, _LANE_BYTES = 2, 4 << 20
_Ids = tuple[int | None, tuple[Any, ...]]


class GroupProof:
    """Proves the groups of one plan, one after the other.

    Args:
        table: read from the pointer that the plan was made from.
        snapshot_id: of the plan.
        connection: DuckDB, bounded in memory.
    """

    def __init__(
        self, table: Table, snapshot_id: int, connection: duckdb.DuckDBPyConnection
    ) -> None:
        self._rows = SourceRows(table, snapshot_id)
        self._connection = connection
        self._schema = self._rows.schema
        self._bounded: list[NestedField] = []
        self._asked: list[str] = []
        for place, field in enumerate(self._schema.fields):
            if isinstance(field.field_type, PrimitiveType):
                self._bounded.append(field)
                self._asked += asked_bounds(f"c{place}", field.field_type)

    def prove(self, group: Group, written: Mapping[Path, MeasuredFile]) -> None:
        """Return when the files hold the group's live rows, each once, and nothing else.

        Raises:
            PermanentError: they do not, and what differs.
            CompactionRefusedError: PyIceberg cannot read the group.
        """
        self._give_back()
        try:
            source = self._source(group)
        except NOT_ABLE as error:
            raise CompactionRefusedError(
                f"{group.inputs[0].path}: what is written cannot be proven: {error}",
                hint="the files stay as they are",
            ) from error
        except READING as error:
            raise PermanentError(
                f"{group.inputs[0].path}: PyIceberg cannot read its group: {error}",
                hint="'dp doctor' says whether the table is damaged",
            ) from error
        result = self._nothing()
        found: list[str] = []
        for path, measured in written.items():
            self._require_ids(str(path))
            bounds = self._hash(
                parquet_source([str(path)]), result, *self._asked, on=self._connection
            )
            found += of_statistics(path.name, measured, zip(self._bounded, bounds, strict=True))
        found += of_rows(source, result, self._schema)
        if sum(one.records for one in written.values()) != source.rows:
            found.append("the footers count other rows")
        if found:
            raise different(group, found)

    def _give_back(self) -> None:
        """To the system, what DuckDB has freed: up to 100 MB that the proof would come on top of.

        Setting the limit is what does it, also to the same value.
        """
        [limit] = self._connection.execute("SELECT current_setting('memory_limit')").fetchall()
        self._connection.execute(f"SET memory_limit = '{limit[0]}'")

    def _source(self, group: Group) -> RowHashes:
        """The live rows of the group as they were."""
        row_hash_query(_PIECE, self._schema)  # what cannot be compared is said before reading
        small = all(file.size <= _LANE_BYTES for file in group.inputs)
        lanes = self._rows.lanes(group, _LANES if small else 1)
        target = schema_to_pyarrow(self._schema, include_field_ids=False)
        budget = PIECE_BYTES // len(lanes)

        def read(lane: Iterator[pa.RecordBatch], stop: Event) -> RowHashes:
            found = self._nothing()
            with self._connection.cursor() as own:
                for piece in pieces(lane, target, most_bytes=budget):
                    if stop.is_set():
                        raise StoppedError
                    own.register(_PIECE, piece)
                    self._hash(_PIECE, found, on=own)
                    own.unregister(_PIECE)
            return found

        found = self._nothing()
        for one in Workers(read, count=len(lanes)).run(lanes):
            found.add(one.rows, one.total, tuple(one.nulls))
        return found

    def _nothing(self) -> RowHashes:
        return RowHashes(nulls=[0] * len(self._schema.fields))

    def _hash(
        self, source: str, found: RowHashes, *asked: str, on: duckdb.DuckDBPyConnection
    ) -> list[Bounds]:
        """Add the rows of ``source``; the answers to what else was asked, of the same reading."""
        row = on.execute(row_hash_query(source, self._schema, *asked)).fetchone()
        if row is None:
            raise AssertionError("an aggregate gives one row")
        rows, total, *more = row
        columns = len(self._schema.fields)
        found.add(rows, total, tuple(more[:columns]))
        return answered_bounds(more[columns:])

    def _require_ids(self, path: str) -> None:
        [nodes] = column_trees(self._connection, [escaped(path)]).values()
        if [_ids_in(node) for node in nodes] != [_ids_of(field) for field in self._schema.fields]:
            raise PermanentError(
                f"{path} was written with other field ids than the table's",
                hint="nothing was changed; please report this",
            )


def _ids_in(node: Node) -> _Ids:
    return node.field_id, tuple(_ids_in(child) for child in node.children)


def _ids_of(field: NestedField) -> _Ids:
    return field.field_id, _ids_inside(field.field_type)


def _ids_inside(kind: IcebergType) -> tuple[_Ids, ...]:
    match kind:
        case StructType():
            return tuple(_ids_of(field) for field in kind.fields)
        case ListType():
            return (_ids_of(kind.element_field),)
        case MapType():
            return _ids_of(kind.key_field), _ids_of(kind.value_field)
        case _:
            return ()
