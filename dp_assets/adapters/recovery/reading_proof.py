"""One snapshot of a table, read by PyIceberg and by DuckDB, both hashed by one function.

Memory stays bounded whatever the size: DuckDB streams, and PyIceberg's rows come file by file and
batch by batch. What an engine cannot read is said, never raised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import StaticTable

from dp_assets.adapters.recovery.duckdb_row_hash import (
    RowHashes,
    UncomparableTypeError,
    hash_rows,
)
from dp_assets.adapters.recovery.pyiceberg_deletes import as_arrow, deleted_positions
from dp_assets.adapters.recovery.pyiceberg_large import is_large, large_file_batches
from dp_assets.adapters.recovery.row_stream import streamed
from dp_assets.ports.reading import Engine, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyiceberg.io import FileIO
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table

_ROWS = "rows_read"
# What engines raise when they cannot do a thing at all; anything else is a failure.
NOT_ABLE = (NotImplementedError, duckdb.NotImplementedException, UncomparableTypeError)
# What PyIceberg, PyArrow, fastavro and DuckDB raise about a file that is not as it should be.
READING = (ValueError, TypeError, KeyError, LookupError, OSError, EOFError, pa.ArrowException)


def open_table(pointer: str, io: FileIO) -> Table:
    """The table of a metadata file; every file is read through ``io``.

    PyIceberg's own way lets a table's properties choose the reader.
    """
    return StaticTable(
        identifier=("proof", "table"),
        metadata=FromInputFile.table_metadata(io.new_input(pointer)),
        metadata_location=pointer,
        io=io,
        catalog=NoopCatalog("proof"),
    )


class SnapshotReader:
    """Reads snapshots of one table."""

    def __init__(self, table: Table, connection: duckdb.DuckDBPyConnection) -> None:
        self._table = table
        self._connection = connection

    def schema(self, snapshot_id: int | None) -> Schema:
        """The schema a snapshot was written with: what both engines read it by."""
        if snapshot_id is None:
            return self._table.schema()
        return self._table.scan(snapshot_id=snapshot_id).projection()

    def read(self, engine: Engine, snapshot_id: int | None, *, cannot: str) -> Reading:
        """One snapshot as one engine reads it.

        Args:
            engine: who reads.
            snapshot_id: None for a table without snapshots.
            cannot: what in the table this engine is known not to read; "" when nothing.
        """
        read = self._pyiceberg if engine is Engine.PYICEBERG else self._duckdb
        try:
            schema = self.schema(snapshot_id)
            found = read(snapshot_id, schema)
        except NOT_ABLE as error:
            return Reading(engine, refused=_said(error))
        except (*READING, duckdb.Error) as error:
            if cannot and not _is_missing(error):
                return Reading(engine, refused=f"{cannot}: {_said(error)}")
            return Reading(engine, failed=_said(error))
        nulls = dict(zip((f.name for f in schema.fields), found.nulls, strict=True))
        return Reading(engine, found.rows, found.content, nulls)

    def _duckdb(self, snapshot_id: int | None, schema: Schema) -> RowHashes:
        location = self._table.metadata_location.replace("'", "''")
        at = f", snapshot_from_id={snapshot_id}" if snapshot_id is not None else ""
        source = f"iceberg_scan('{location}'{at})"
        described = self._connection.execute(f"DESCRIBE FROM {source}").fetchall()
        names = [name for name, *_ in described]
        if [n.lower() for n in names] != [f.name.lower() for f in schema.fields]:
            # Positions would pair columns that are not the same.
            raise NotImplementedError(f"reads other columns: {', '.join(names)}")
        return hash_rows(source, schema, on=self._connection)[0]

    def _pyiceberg(self, snapshot_id: int | None, schema: Schema) -> RowHashes:
        target = schema_to_pyarrow(schema, include_field_ids=False)
        batches = self._batches(snapshot_id, schema) if snapshot_id is not None else iter(())
        with streamed(batches, target, to=self._connection, name=_ROWS):
            return hash_rows(_ROWS, schema, on=self._connection)[0]

    def _batches(self, snapshot_id: int, schema: Schema) -> Iterator[pa.RecordBatch]:
        scan = ArrowScan(self._table.metadata, self._table.io, schema, AlwaysTrue())
        tasks = list(self._table.scan(snapshot_id=snapshot_id).plan_files())
        deleted = deleted_positions(self._table.io, tasks)
        for task in tasks:
            path = task.file.file_path
            deletes = {path: [as_arrow(deleted[path])]} if path in deleted else {}
            if is_large(task.file):
                yield from large_file_batches(self._table, task, schema, deletes.get(path))
            else:
                # The public way holds all files' rows, and reads their delete files again.
                yield from scan._record_batches_from_scan_tasks_and_deletes(  # noqa: SLF001
                    [task], deletes
                )


def _is_missing(error: Exception) -> bool:
    return isinstance(error, FileNotFoundError) or "No such file" in str(error)


def _said(error: Exception) -> str:
    """The first line of what an engine says."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
