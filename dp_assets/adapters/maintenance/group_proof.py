"""The proof that new files hold what their group held, before anything names them.

The source is read by :class:`SourceRows`, most of which is PyIceberg; the result is read by DuckDB.
Both are hashed by one function.
Names of columns say nothing to other readers, so the field ids in the new files are compared as
well, and their statistics with their data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.types import ListType, MapType, PrimitiveType, StructType

from dp_assets.adapters.maintenance.column_bounds import Bounds, answered_bounds, asked_bounds
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source
from dp_assets.adapters.maintenance.parquet_tree import Node, column_trees, escaped
from dp_assets.adapters.maintenance.source_rows import SourceRows
from dp_assets.adapters.recovery.duckdb_row_hash import RowHashes, row_hash_query
from dp_assets.adapters.recovery.reading_proof import NOT_ABLE, READING, pieces
from dp_assets.core.errors import PermanentError
from dp_assets.ports.compaction import CompactionRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import duckdb
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table
    from pyiceberg.types import IcebergType, NestedField

    from dp_assets.adapters.maintenance.file_statistics import MeasuredFile
    from dp_assets.ports.compaction import Group

_PIECE = "source_piece"
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
        result = RowHashes(nulls=[0] * len(self._schema.fields))
        found: list[str] = []
        for path, measured in written.items():
            self._require_ids(str(path))
            bounds = self._hash(parquet_source([str(path)]), result, *self._asked)
            found += _of_statistics(path.name, measured, zip(self._bounded, bounds, strict=True))
        found += _of_rows(source, result, self._schema)
        if sum(one.records for one in written.values()) != source.rows:
            found.append("the footers count other rows")
        if found:
            raise different(group, found)

    def _source(self, group: Group) -> RowHashes:
        """The live rows of the group as they were."""
        target = schema_to_pyarrow(self._schema, include_field_ids=False)
        found = RowHashes(nulls=[0] * len(self._schema.fields))
        for piece in pieces(self._rows.batches(group), target):
            self._connection.register(_PIECE, piece)
            self._hash(_PIECE, found)
            self._connection.unregister(_PIECE)
        return found

    def _hash(self, source: str, found: RowHashes, *asked: str) -> list[Bounds]:
        """Add the rows of ``source``; the answers to what else was asked, of the same reading."""
        query = row_hash_query(source, self._schema, *asked)
        row = self._connection.execute(query).fetchone()
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


def different(group: Group, what: Sequence[str]) -> PermanentError:
    """The error for new files that are not what they replace."""
    return PermanentError(
        f"{len(group.inputs)} files of {group.words or 'the table'}, {group.inputs[0].path} first: "
        f"what was written differs: {'; '.join(what)}",
        hint="nothing was changed, the new files are gone; 'dp doctor' looks for damage",
    )


def _of_rows(source: RowHashes, result: RowHashes, schema: Schema) -> Iterator[str]:
    if source.rows != result.rows:
        yield f"{source.rows} rows before, {result.rows} after"
    for field, before, after in zip(schema.fields, source.nulls, result.nulls, strict=True):
        if before != after:
            yield f"{before} rows without {field.name} before, {after} after"
    if source.total != result.total:
        yield "the content hash"


def _of_statistics(
    name: str, file: MeasuredFile, columns: Iterable[tuple[NestedField, Bounds]]
) -> Iterator[str]:
    """What in the statistics of a file its data contradicts."""
    said = file.statistics
    for field, found in columns:
        field_id, kind = field.field_id, field.field_type
        if said.value_counts.get(field_id, file.records) != file.records:
            yield f"{name} counts other values of {field.name} than rows"
        if said.null_counts.get(field_id, found.nulls) != found.nulls:
            yield f"{name} counts {said.null_counts[field_id]} nulls of {field.name}"
        if said.nan_counts.get(field_id, found.nans) != found.nans:
            yield f"{name} counts {said.nan_counts[field_id]} NaN of {field.name}"
        if not isinstance(kind, PrimitiveType) or found.least is None:
            continue
        lower, upper = said.lower.get(field_id), said.upper.get(field_id)
        if lower is not None and from_bytes(kind, lower) > found.least:
            yield f"{name} has values of {field.name} below its lower bound"
        if upper is not None and from_bytes(kind, upper) < found.greatest:
            yield f"{name} has values of {field.name} above its upper bound"


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
