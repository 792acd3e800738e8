"""Equality deletes as tables of DuckDB's: each key once, with the number of its newest delete.

DuckDB's own reader of Iceberg (1.5.5) applies an equality delete to other partitions as well, so
only its Parquet reader is used here.

Source: Iceberg table specification, "Equality Delete Files", "Scan Planning": a row is deleted when
all the columns are equal, null being equal to null, and its data is older than the delete.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyiceberg.schema import Schema

from dp_assets.adapters.maintenance.engine_files import engine_path, engine_trees
from dp_assets.adapters.maintenance.iceberg_sql import parquet_source, refused, text
from dp_assets.adapters.maintenance.projection import Projection
from dp_assets.ports.recovery import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import duckdb
    from pyiceberg.types import NestedField

    from dp_assets.adapters.maintenance.parquet_tree import Node
    from dp_assets.ports.compaction import DeleteFile, Group

_FILE = "__dp_file"


@dataclass(frozen=True, slots=True)
class EqualityTable:
    """The deletes that compare the same columns.

    Attributes:
        name: of the table in DuckDB.
        fields: the columns; some may not be the table's any more.
    """

    name: str
    fields: tuple[NestedField, ...]

    def anti_join(self, rows: str, *, number: str) -> str:
        """The clause that leaves out what is deleted.

        Args:
            rows: what the data is called; it has :func:`key_name` of each field.
            number: its column with the sequence number of each row's data.
        """
        keys = (key_name(field) for field in self.fields)
        equal = [f"{self.name}.{key} IS NOT DISTINCT FROM {rows}.{key}" for key in keys]
        older = f"{rows}.{number} < {self.name}.number"
        return f"ANTI JOIN {self.name} ON {' AND '.join([*equal, older])}"


def key_name(field: NestedField) -> str:
    """What a compared column is called, here and among the data."""
    return f"__dp_key_{field.field_id}"


class EqualityTables:
    """Makes the tables of one group after the other.

    Args:
        connection: reads the delete files, holds the tables; it spills when it must.
        metadata: the table's, Iceberg's JSON.
        schema: the current one.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, metadata: Mapping[str, Any], schema: Schema
    ) -> None:
        self._connection = connection
        self._projection = Projection(schema)
        self._fields = _fields_ever(metadata, schema)
        self._names: list[str] = []

    def of(self, group: Group) -> list[EqualityTable]:
        """The tables of a group; those of the group before are gone then.

        Raises:
            CompactionRefusedError: a delete file does not say which columns it holds.
        """
        for name in self._names:
            self._connection.execute(f"DROP TABLE {name}")
        self._names = []
        alike: defaultdict[tuple[int, ...], list[DeleteFile]] = defaultdict(list)
        for delete in group.deletes:
            if delete.kind is FileKind.EQUALITY_DELETES:
                alike[tuple(sorted(delete.equality_ids))].append(delete)
        return [self._make(ids, deletes) for ids, deletes in alike.items()]

    def _make(self, ids: tuple[int, ...], deletes: Sequence[DeleteFile]) -> EqualityTable:
        if lost := set(ids) - set(self._fields):
            raise refused(
                f"files to which equality deletes by the unknown column {min(lost)} apply"
            )
        made = EqualityTable(
            f"equality_deletes_{len(self._names)}", tuple(self._fields[i] for i in ids)
        )
        keys = " UNION ALL ".join(self._keys(made.fields, deletes))
        self._connection.execute(
            f"CREATE TEMP TABLE {made.name} AS "  # noqa: S608 - quoted
            f"SELECT * EXCLUDE number, max(number) AS number FROM ({keys}) GROUP BY ALL"
        )
        self._names.append(made.name)
        return made

    def _keys(self, fields: Sequence[NestedField], deletes: Sequence[DeleteFile]) -> Iterator[str]:
        """A query for each shape of delete files."""
        paths = {engine_path(delete.path): delete.sequence_number for delete in deletes}
        shapes: defaultdict[tuple[Node, ...], list[str]] = defaultdict(list)
        for path, nodes in engine_trees(self._connection, paths).items():
            if {field.field_id for field in fields} - {node.field_id for node in nodes}:
                raise refused("equality deletes without the field ids of their columns")
            shapes[nodes].append(path)
        for nodes, files in shapes.items():
            columns = ", ".join(
                f"{self._projection.column(field, nodes, source='d')} AS {key_name(field)}"
                for field in fields
            )
            numbers = ", ".join(f"({text(path)}, {paths[path]})" for path in files)
            source = parquet_source(files, f"filename={text(_FILE)}")
            yield (
                f"SELECT {columns}, f.number FROM {source} AS d "  # noqa: S608 - quoted
                f"JOIN (VALUES {numbers}) AS f(path, number) ON f.path = d.{_FILE}"
            )


def _fields_ever(metadata: Mapping[str, Any], schema: Schema) -> dict[int, NestedField]:
    """The columns that the table has or had, by field id, as they were named and typed last."""
    kept = sorted(metadata.get("schemas") or (), key=lambda one: one.get("schema-id", 0))
    schemas = (*(Schema.model_validate({"schema-id": 0, **one}) for one in kept), schema)
    return {field.field_id: field for one in schemas for field in one.fields}
