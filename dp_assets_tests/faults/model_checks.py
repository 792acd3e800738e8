"""What must hold of the model's table after every round: invariants I1 to I4 and I6 of a fault."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pyiceberg.table import Table
from pyiceberg.table.refs import MAIN_BRANCH

from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.core.ids import TableId
from dp_assets.lakehouse import Lakehouse
from dp_assets_tests.adapters.table_checks import check_files, path_of
from dp_assets_tests.faults.model_lineage import closure_at, lineage
from dp_assets_tests.faults.model_rows import Model, Rows, as_read, rows_by_number

DIFFERENCE = 10  # rows of one that are shown


@dataclass
class Checks:
    """Reads the table with PyIceberg and DuckDB, and remembers what its files were."""

    lake: Lakehouse
    reader: DuckDbReader
    name: TableId
    _hashes: dict[Path, str] = field(default_factory=dict[Path, str])

    def check(self, model: Model) -> set[Path]:
        """Every row at the head and at every ref, by both engines; the files that are named."""
        table = self.lake.catalog.load_table(self.name.identifier)
        named = check_files(table)
        self._unchanged(named)
        refs = {name for name in table.refs() if name != MAIN_BRANCH}
        assert refs == set(model.refs)
        if table.metadata.current_snapshot_id is not None:
            self._both(table, None, model.rows, "the head")
        self._row_ids(table, model)
        for ref, rows in model.refs.items():
            self._both(table, table.refs()[ref].snapshot_id, rows, ref)
        for snapshot in table.snapshots():
            if snapshot.snapshot_id in model.contents and len(model.contents) % 5 == 0:
                rows = model.contents[snapshot.snapshot_id]
                self._both(table, snapshot.snapshot_id, rows, f"snapshot {snapshot.snapshot_id}")
        kept = {snapshot.snapshot_id for snapshot in table.snapshots()}
        model.contents = {at: rows for at, rows in model.contents.items() if at in kept}
        return named

    def _both(self, table: Table, snapshot: int | None, rows: Rows, where: str) -> None:
        at = table.snapshot_by_id(snapshot) if snapshot is not None else None
        schema = table.schema()
        if at is not None and at.schema_id is not None:
            schema = table.schemas()[at.schema_id]
        wanted = as_read(rows, schema)
        by_pyiceberg = table.scan(snapshot_id=snapshot).to_arrow().to_pylist()
        same(rows_by_number(by_pyiceberg, schema), wanted, f"{where} by PyIceberg")
        source = self.reader.scan(self.name, snapshot_id=snapshot)
        by_duckdb = self.reader.rows(f"FROM {source}", about=self.name).to_pylist()
        same(rows_by_number(by_duckdb, schema), wanted, f"{where} by DuckDB")

    def _row_ids(self, table: Table, model: Model) -> None:
        """From version 3 on a row keeps its id for life, and the number until it is updated."""
        head = table.metadata.current_snapshot_id
        if model.ids is None or head in (None, model.last_without_ids):
            return
        found = lineage(closure_at(table.metadata_location))
        assert set(found) == set(model.rows)
        wrong = {
            number: (ids, known)
            for number, ids in found.items()
            if (known := model.ids.get(number, (None, None))) != ids
            and (known[0] not in (None, ids[0]) or known[1] not in (None, ids[1]))
        }
        assert wrong == {}, "ids of rows, found and known"
        model.ids |= found

    def _unchanged(self, named: set[Path]) -> None:
        """A file that the table names never changes."""
        for path in named - set(self._hashes):
            self._hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()

    def check_unchanged(self, named: set[Path]) -> None:
        """All of ``named`` are what they were when they were first seen."""
        changed = [
            path
            for path in named
            if hashlib.sha256(path.read_bytes()).hexdigest() != self._hashes[path]
        ]
        assert changed == []

    def leftovers(self, named: set[Path]) -> set[Path]:
        """Files of the table that nothing names."""
        table = self.lake.catalog.load_table(self.name.identifier)
        folder = path_of(table.location())
        return {path for path in folder.rglob("*") if path.is_file()} - named


def same(read: Rows, wanted: Rows, where: str) -> None:
    """Raises AssertionError with the first differences."""
    if read == wanted:
        return
    lost, more = sorted(set(wanted) - set(read)), sorted(set(read) - set(wanted))
    others = [(read[n], wanted[n]) for n in set(read) & set(wanted) if read[n] != wanted[n]]
    raise AssertionError(
        f"{where}: lost {lost[:DIFFERENCE]}, too many {more[:DIFFERENCE]}, "
        f"read and wanted: {others[:DIFFERENCE]}"
    )
