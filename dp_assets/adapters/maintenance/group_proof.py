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

from dp_assets.adapters.maintenance.column_bounds import answered_bounds, asked_bounds
from dp_assets.adapters.maintenance.group_differences import different, of_rows, of_statistics
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source
from dp_assets.adapters.maintenance.parquet_tree import Node, column_trees, escaped
from dp_assets.adapters.maintenance.source_rows import SourceRows
from dp_assets.adapters.objects.copying import StoppedError, Workers
from dp_assets.adapters.recovery.duckdb_row_hash import RowHashes, hash_rows
from dp_assets.adapters.recovery.pyiceberg_large import SMALL_BYTES
from dp_assets.adapters.recovery.reading_proof import NOT_ABLE, READING
from dp_assets.adapters.recovery.row_stream import streamed
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

_ROWS = "source_rows"
_LANES = 2  # of small files
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
            rows, answers = hash_rows(
                parquet_source([str(path)]), self._schema, *self._asked, on=self._connection
            )
            result += rows
            bounds = zip(self._bounded, answered_bounds(answers), strict=True)
            found += of_statistics(path.name, measured, bounds)
        found += of_rows(source, result, self._schema)
        if sum(one.records for one in written.values()) != source.rows:
            found.append("the footers count other rows")
        if found:
            raise different(group, found)

    def _source(self, group: Group) -> RowHashes:
        """The live rows of the group as they were."""
        small = all(file.size <= SMALL_BYTES for file in group.inputs)
        lanes = self._rows.lanes(group, _LANES if small else 1)
        target = schema_to_pyarrow(self._schema, include_field_ids=False)

        def read(lane: Iterator[pa.RecordBatch], stop: Event) -> RowHashes:
            with (
                self._connection.cursor() as own,
                streamed(_until(stop, lane), target, to=own, name=_ROWS),
            ):
                return hash_rows(_ROWS, self._schema, on=own)[0]

        return sum(Workers(read, count=len(lanes)).run(lanes), self._nothing())

    def _nothing(self) -> RowHashes:
        return RowHashes(0, 0, [0] * len(self._schema.fields))

    def _require_ids(self, path: str) -> None:
        [nodes] = column_trees(self._connection, [escaped(path)]).values()
        if [_ids_in(node) for node in nodes] != [_ids_of(field) for field in self._schema.fields]:
            raise PermanentError(
                f"{path} was written with other field ids than the table's",
                hint="nothing was changed; please report this",
            )


def _until(stop: Event, rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in rows:
        if stop.is_set():
            raise StoppedError
        yield batch


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
