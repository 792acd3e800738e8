"""Commits to a table of version 3 as another engine makes them; PyIceberg 0.12 writes none.

PyIceberg makes the Parquet files and manifests of version 2, which are carried over.
"""

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyroaring import BitMap64

from dp_assets.adapters.iceberg_commit import write_rows
from dp_assets.adapters.iceberg_json import MAIN, add_snapshot
from dp_assets.adapters.iceberg_publish import move_to
from dp_assets.adapters.iceberg_snapshot import current_lines, stage_snapshot
from dp_assets.adapters.iceberg_state import TableState, load_state
from dp_assets.adapters.maintenance.manifest_writing import DATA, DELETES
from dp_assets.adapters.maintenance.replace_manifests import Leaving, ReplaceManifests
from dp_assets.adapters.recovery.avro_generic import Record
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.ports.closure import one_spelling
from dp_assets_tests.adapters.delete_files import puffin, vector
from dp_assets_tests.adapters.table_checks import path_of
from dp_assets_tests.faults.model_lineage import ROW_ID, FileRows, Ids, closure_at, file_rows
from dp_assets_tests.faults.model_manifests import VERSION, new_manifests, vector_file

UPGRADED = {"format-version": VERSION, "next-row-id": 0}


def upgraded(state: TableState) -> TableState:
    """Of version 3; no row has an id before the next commit."""
    return replace(state, raw={**state.raw, **UPGRADED})


def table_id(table: Table) -> TableId:
    *namespace, name = table.name()
    return TableId(".".join(namespace), name)


@dataclass
class NewCommit:
    """Adds rows, deletes rows, and is visible after :meth:`publish`; only then."""

    table: Table
    state: TableState
    branch: str = MAIN
    snapshot_id: int = field(default_factory=lambda: secrets.randbits(62))
    _lines: list[Record] = field(default_factory=list[Record])
    _leave: set[str] = field(default_factory=set[str])

    @classmethod
    def to(cls, table: Table, *, branch: str = MAIN, upgrade: bool = False) -> Self:
        """On top of the table as it was loaded: who is first since wins."""
        state = load_state(table.io, table.metadata_location)
        return cls(table, upgraded(state) if upgrade else state, branch)

    def add_rows(self, rows: pa.Table, *, row_ids: Mapping[int, int | None] | None = None) -> None:
        """New files; rows that are others' next version keep the ids of those."""
        files = write_rows(self.state, rows)
        for file in files:
            if row_ids:
                _give_ids(path_of(file.file_path), row_ids)
        sizes = [{"file_size_in_bytes": path_of(f.file_path).stat().st_size} for f in files]
        self._list(DATA, files, sizes)

    def delete(self, numbers: Collection[int]) -> dict[int, Ids]:
        """A vector for each file with the rows, in one Puffin; a file without rows goes.

        Returns what the ids of the rows were.
        """
        closure = closure_at(self.table.metadata_location)
        found = [file for file in file_rows(closure) if set(numbers) & set(file.numbers)]
        after = {file.entry.path: _after(file, numbers) for file in found}
        empty = {f.entry.path for f in found if len(after[f.entry.path]) == len(f.numbers)}
        self._take_out(Leaving(empty, {file.vector for file in found if file.vector}))
        self._add_vectors({path: rows for path, rows in after.items() if path not in empty})
        live = (pair for file in found for pair in file.live())
        return {number: ids for number, ids in live if number in numbers}

    def publish(self, operation: str) -> int:
        """Raises TransientError when another writer was first. Returns the snapshot."""
        raw = self.state.raw
        refs = raw.get("refs") or {}
        head = refs[self.branch]["snapshot-id"] if self.branch in refs else None
        base = replace(self.state, raw={**raw, "current-snapshot-id": head})
        staged = stage_snapshot(
            base,
            self._lines,
            leave=self._leave,
            snapshot_id=self.snapshot_id,
            summary={"operation": operation},
            now_ms=now_ms(),
        )
        new = add_snapshot(base.raw, staged.snapshot, previous_location=self.state.pointer)
        if self.branch != MAIN:
            ref = {**refs[self.branch], "snapshot-id": self.snapshot_id}
            kept = {key: raw[key] for key in ("current-snapshot-id", "snapshot-log")}
            new = {**new, **kept, "refs": {**refs, self.branch: ref}}
        catalog = self.table.catalog
        assert isinstance(catalog, SqlCatalog)
        move_to(catalog, table_id(self.table), self.state, new, before_swap=lambda: None)
        return self.snapshot_id

    def _take_out(self, leaving: Leaving) -> None:
        closure = closure_at(self.state.pointer)
        lines = [
            line
            for line in current_lines(self.state)[0]
            if any(
                entry.path in leaving.data or (entry.path, entry.offset) in leaving.deletes
                for entry in closure.manifests[one_spelling(line["manifest_path"])].entries
            )
        ]
        manifests = ReplaceManifests(
            state=self.state, snapshot_id=self.snapshot_id, sequence_number=0, leaving=leaving
        )
        manifests.rewrite(lines)
        self._lines += manifests.lines
        self._leave |= {line["manifest_path"] for line in lines}

    def _add_vectors(self, rows: Mapping[str, BitMap64]) -> None:
        if not rows:
            return
        blobs = {path: vector(gone) for path, gone in rows.items()}
        content, offsets = puffin(blobs)
        location = f"{self.table.location()}/data/{uuid.uuid4()}-dv.puffin"
        path_of(location).write_bytes(content)
        data = {task.file.file_path: task.file for task in self.table.scan().plan_files()}
        files = [
            vector_file(location, data[path], rows=len(gone), size=len(content))
            for path, gone in rows.items()
        ]
        about = [
            {
                "referenced_data_file": path,
                "content_offset": offset,
                "content_size_in_bytes": len(blob),
            }
            for (path, blob), offset in zip(blobs.items(), offsets, strict=True)
        ]
        self._list(DELETES, files, about)

    def _list(
        self, content: int, files: Sequence[DataFile], more: Sequence[Mapping[str, Any]]
    ) -> None:
        at = self.state.model.default_spec_id
        self._lines += new_manifests(
            self.state, content, zip(files, more, strict=True), snapshot_id=self.snapshot_id, at=at
        )


def _after(file: FileRows, numbers: Collection[int]) -> BitMap64:
    """The dead rows of a file when these are dead, too."""
    return file.gone | BitMap64(n for n, number in enumerate(file.numbers) if number in numbers)


def _give_ids(path: Path, row_ids: Mapping[int, int | None]) -> None:
    """Write a data file anew with a column of row ids."""
    rows = pq.ParquetFile(path).read()
    found = pa.array([row_ids.get(number.as_py()) for number in rows["id"]], pa.int64())
    column = pa.field("_row_id", pa.int64(), metadata={"PARQUET:field_id": str(ROW_ID)})
    pq.write_table(rows.append_column(column, found), path)
