"""The live rows of a group as they were, for the proof: none of the rewrite's code has a part.

PyIceberg's plan says which files and positions belong together, its code turns old columns into
new ones. What it does not do (0.12) is ours: equality deletes, row lineage, and that a vector takes
the place of the position deletes of its file.

Source: Iceberg table specification, "Scan Planning", "Row Lineage".
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.manifest import DataFileContent, FileFormat
from pyiceberg.table import FileScanTask, ManifestGroupPlanner
from pyiceberg.transforms import VoidTransform
from pyroaring import BitMap64

from dp_assets.adapters.maintenance.equality_positions import NumberedFile, equality_positions
from dp_assets.adapters.maintenance.row_lineage import LINEAGE_VERSION, written_schema
from dp_assets.adapters.recovery.pyiceberg_deletes import as_arrow, deleted_positions
from dp_assets.adapters.recovery.pyiceberg_large import FileSchemas, large_file_batches
from dp_assets.core.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.manifest import DataFile, ManifestEntry
    from pyiceberg.table import Table

    from dp_assets.ports.compaction import Group, InputFile


class SourceRows:
    """Reads groups of one snapshot.

    Args:
        table: read from the pointer that the plan was made from.
        snapshot_id: of the plan.
    """

    def __init__(self, table: Table, snapshot_id: int) -> None:
        self._table = table
        self._snapshot_id = snapshot_id
        self._equality: list[NumberedFile] = []
        self._numbers: dict[str, int] = {}
        self._schemas = FileSchemas()
        self.schema = written_schema(table.schema(), table.format_version)

    def lanes(self, group: Group, count: int) -> list[Iterator[pa.RecordBatch]]:
        """The live rows in the columns of :attr:`schema`, of every ``count``-th file in a lane.

        Lanes can be read beside each other.

        Raises:
            PermanentError: PyIceberg does not find a file of the group in the snapshot.
        """
        tasks = [self._task(file.path) for file in group.inputs]
        deleted = self._deleted(tasks)
        found = list(zip(tasks, group.inputs, strict=True))
        return [self._lane(found[at::count], deleted) for at in range(count)]

    def _lane(
        self, found: Sequence[tuple[FileScanTask, InputFile]], deleted: Mapping[str, BitMap64]
    ) -> Iterator[pa.RecordBatch]:
        for task, file in found:
            gone = deleted.get(file.path)
            if self._table.format_version >= LINEAGE_VERSION:
                yield from self._with_lineage(task, file, gone)
            else:
                deletes = None if gone is None else [as_arrow(gone)]
                yield from self._rows(task, deletes)

    def _rows(
        self, task: FileScanTask, deletes: list[pa.ChunkedArray] | None
    ) -> Iterator[pa.RecordBatch]:
        return large_file_batches(self._table, task, self.schema, deletes, schemas=self._schemas)

    def _task(self, path: str) -> FileScanTask:
        if path not in self._tasks:
            raise PermanentError(
                f"PyIceberg does not find {path} in snapshot {self._snapshot_id}",
                hint="nothing was changed; 'dp doctor' looks for damage",
            )
        return self._tasks[path]

    @cached_property
    def _tasks(self) -> Mapping[str, FileScanTask]:
        snapshot = self._table.snapshot_by_id(self._snapshot_id)
        if snapshot is None:
            return {}
        manifests = snapshot.manifests(self._table.io)
        planner = ManifestGroupPlanner(self._table.metadata, self._table.io)
        tasks = list(planner.plan_files(manifests, manifest_entry_filter=self._noted))
        return {task.file.file_path: task for task in tasks}

    def _noted(self, entry: ManifestEntry) -> bool:
        """Keep what PyIceberg's tasks do not say; False for what its plan takes no part of."""
        number = entry.sequence_number or 0
        if entry.data_file.content == DataFileContent.EQUALITY_DELETES:
            self._equality.append(NumberedFile(entry.data_file, number))
            return False
        if entry.data_file.content == DataFileContent.DATA:
            self._numbers[entry.data_file.file_path] = number
        return True

    def _deleted(self, tasks: Sequence[FileScanTask]) -> Mapping[str, BitMap64]:
        """Positions by path."""
        listed, vectors = (
            deleted_positions(self._table.io, [_only(task, vectors=which) for task in tasks])
            for which in (False, True)
        )
        found = {**listed, **vectors}
        data = [NumberedFile(t.file, self._numbers[t.file.file_path]) for t in tasks]
        applying = [one for one in self._equality if self._applies(one.file, tasks[0].file)]
        for path, positions in equality_positions(self._table, data, applying).items():
            found[path] = found[path] | positions if path in found else positions
        return found

    def _applies(self, delete: DataFile, data: DataFile) -> bool:
        """By partition; the numbers of the rows are looked at one by one."""
        fields = self._table.specs()[delete.spec_id].fields
        everywhere = all(isinstance(field.transform, VoidTransform) for field in fields)
        same = (delete.spec_id, delete.partition) == (data.spec_id, data.partition)
        return everywhere or same

    def _with_lineage(
        self, task: FileScanTask, file: InputFile, gone: BitMap64 | None
    ) -> Iterator[pa.RecordBatch]:
        """Live rows; a row has its id and number from the file, else from its place."""
        number = self._numbers[file.path]
        start = 0
        for batch in self._rows(task, None):
            end = start + batch.num_rows
            places = pa.array(range(start, end), pa.int64())
            *columns, ids, numbers = batch.columns
            if file.first_row_id is None:
                lineage = [pa.nulls(batch.num_rows, pa.int64())] * 2
            else:
                by_place = pc.add(places, pa.scalar(file.first_row_id, pa.int64()))
                by_commit = pa.repeat(pa.scalar(number, pa.int64()), batch.num_rows)
                lineage = [pc.coalesce(ids, by_place), pc.coalesce(numbers, by_commit)]
            whole = pa.RecordBatch.from_arrays([*columns, *lineage], schema=batch.schema)
            if gone is not None:
                deleted = as_arrow(gone & BitMap64(range(start, end))).combine_chunks()
                whole = whole.filter(pc.invert(pc.is_in(places, value_set=deleted)))
            start = end
            yield whole


def _only(task: FileScanTask, *, vectors: bool) -> FileScanTask:
    """With the deletes of one kind."""
    puffin = FileFormat.PUFFIN
    deletes = {one for one in task.delete_files if (one.file_format == puffin) == vectors}
    return FileScanTask(task.file, delete_files=deletes)
