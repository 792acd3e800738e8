"""Compaction with the simplest rewrite there is: PyArrow, a file whole in memory, no statistics.

Files of different columns become a file each: nothing is projected, so nothing can go wrong in it.
"""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.io import load_file_io

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.heads import Head, Placed, head_of
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.compaction import (
    CompactionPlan,
    DeleteFile,
    FileStatistics,
    Group,
    InputFile,
    RewrittenGroup,
    WrittenFile,
)
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.live_files import LiveFile, may_apply
from dp_assets.ports.recovery import FileKind, History
from dp_assets.usecases.maintenance.commit_attempts import CommitAttempts, Committed
from dp_assets.usecases.maintenance.publishing import Surroundings
from dp_assets_tests.adapters.orders import nothing

ROW_ID, LAST_SEQUENCE = 2147483540, 2147483539
LINEAGE = {"_row_id": ROW_ID, "_last_updated_sequence_number": LAST_SEQUENCE}
FILES = LocalLakeFiles()


def closure_of(pointer: str, files: LakeFiles = FILES) -> TableClosure:
    return read_closure(files, pointer, history=History.ALL)


def plan_all(
    table: TableId,
    pointer: str,
    *,
    snapshot_id: int | None = None,
    files: LakeFiles = FILES,
) -> CompactionPlan:
    """A group per partition of every spec, of the head or of an older snapshot."""
    closure = closure_of(pointer, files)
    head = head_of(closure, snapshot_id)
    (snapshot,) = (s for s in closure.snapshots if s.snapshot_id == head.snapshot_id)
    partitions: defaultdict[object, list[Placed]] = defaultdict(list)
    for placed in head.data.values():
        partitions[placed.scope].append(placed)
    return CompactionPlan(
        table=str(table),
        uuid=closure.uuid,
        pointer=pointer,
        snapshot_id=snapshot.snapshot_id,
        sequence_number=snapshot.sequence_number,
        format_version=closure.format_version,
        schema_id=0,
        groups=tuple(_group(head, found) for found in partitions.values()),
    )


def _group(head: Head, inputs: list[Placed]) -> Group:
    return Group(
        spec_id=inputs[0].scope[0],
        partition=inputs[0].entry.partition,
        inputs=tuple(_input(placed) for placed in inputs),
        deletes=tuple(
            _delete(d) for d in head.deletes if any(_applies(head, d, one) for one in inputs)
        ),
        target_bytes=1 << 30,
    )


def _input(placed: Placed) -> InputFile:
    e = placed.entry
    number = e.sequence_number or 0
    return InputFile(e.path, e.size, e.records, number, e.file_sequence_number, e.first_row_id, "")


def _delete(placed: Placed) -> DeleteFile:
    e = placed.entry
    return DeleteFile(
        path=e.path,
        kind=e.kind,
        sequence_number=e.sequence_number or 0,
        manifest_path="",
        format=e.format,
        size=e.size,
        records=e.records,
        referenced=e.referenced,
        offset=e.offset,
        length=e.length,
        equality_ids=e.equality_ids,
    )


def _applies(head: Head, delete: Placed, data: Placed) -> bool:
    everywhere = delete.scope[0] in head.global_specs
    one = LiveFile(delete.entry, delete.scope[0], is_global=everywhere)
    return may_apply(one, LiveFile(data.entry, data.scope[0]))


def rewrite_all(plan: CompactionPlan) -> list[RewrittenGroup]:
    return [rewrite(plan, group) for group in plan.groups]


def rewrite(plan: CompactionPlan, group: Group) -> RewrittenGroup:
    """New files with the live rows of a group, in the folder of the first input."""
    by_schema: defaultdict[str, list[pa.Table]] = defaultdict(list)
    for file in group.inputs:
        rows = live(plan, group, file)
        by_schema[rows.schema.to_string(show_schema_metadata=False)].append(rows)
    merged = (pa.concat_tables(tables) for tables in by_schema.values())
    folder = group.inputs[0].path.rsplit("/", 1)[0]
    return RewrittenGroup(group, tuple(_written(folder, rows) for rows in merged if rows.num_rows))


def _written(folder: str, rows: pa.Table) -> WrittenFile:
    location = f"{folder}/compacted-{uuid.uuid4()}.parquet"
    path = Path(one_spelling(location))
    pq.write_table(rows.replace_schema_metadata(None), path)
    return WrittenFile(location, path.stat().st_size, rows.num_rows, FileStatistics(), (4,))


def live(plan: CompactionPlan, group: Group, file: InputFile) -> pa.Table:
    rows = pq.ParquetFile(one_spelling(file.path)).read()
    gone = {
        position
        for delete in group.deletes
        for position in _positions(plan, group, delete, file, rows)
    }
    if plan.format_version > 2:
        rows = _with_lineage(rows, file)
    return rows.take(pa.array([n for n in range(rows.num_rows) if n not in gone], pa.int64()))


def _positions(
    plan: CompactionPlan, group: Group, delete: DeleteFile, file: InputFile, rows: pa.Table
) -> Iterable[int]:
    if delete.kind is FileKind.EQUALITY_DELETES:
        return _equal(delete, file, rows)
    if delete.kind is FileKind.DELETION_VECTORS:
        if delete.referenced != file.path:
            return ()
        place = Place(delete.offset, delete.length, delete.records)
        return list(read_vectors(FILES, delete.path, places=[place])[place].positions)
    if any(
        d.kind is FileKind.DELETION_VECTORS and d.referenced == file.path for d in group.deletes
    ):
        return ()
    found = deleted_positions(FILES, delete.path, file_format=delete.format)
    applies = delete.sequence_number >= file.sequence_number
    return list(found.get(file.path, ())) if applies else ()


def _equal(delete: DeleteFile, file: InputFile, rows: pa.Table) -> Iterator[int]:
    if delete.sequence_number <= file.sequence_number:
        return
    keys = pq.ParquetFile(one_spelling(delete.path)).read()
    gone = set(zip(*(column.to_pylist() for column in keys.columns), strict=True))
    values = zip(*(rows.column(name).to_pylist() for name in keys.column_names), strict=True)
    yield from (n for n, value in enumerate(values) if value in gone)


def _with_lineage(rows: pa.Table, file: InputFile) -> pa.Table:
    """Each row's own lineage where the file says it, else what its place says."""
    assert file.first_row_id is not None
    by_place = {
        "_row_id": range(file.first_row_id, file.first_row_id + rows.num_rows),
        "_last_updated_sequence_number": [file.sequence_number] * rows.num_rows,
    }
    for name, values in by_place.items():
        field = pa.field(name, pa.int64(), metadata={"PARQUET:field_id": str(LINEAGE[name])})
        said = pa.array(values, pa.int64())
        if name in rows.column_names:
            said = pc.coalesce(rows[name], said)
            rows = rows.drop_columns(name)
        rows = rows.append_column(field, said)
    return rows


def around(
    catalog: Catalog,
    *,
    guard: Callable[[], None] = lambda: None,
    failpoint: Callable[[str], None] = nothing,
) -> Surroundings:
    io = load_file_io(catalog.properties, catalog.properties.get("warehouse"))
    return Surroundings(catalog, io, FILES, guard, now_ms, failpoint)


def commit(
    surroundings: Surroundings,
    plan: CompactionPlan,
    rewritten: list[RewrittenGroup],
    *,
    run_id: str = "run-1",
) -> Committed:
    return CommitAttempts(surroundings, plan, rewritten, run_id).run()


def compact(catalog: Catalog, table: TableId, *, snapshot_id: int | None = None) -> Committed:
    """Plan, rewrite and commit everything."""
    plan = plan_all(table, existing_pointer(catalog, table), snapshot_id=snapshot_id)
    return commit(around(catalog), plan, rewrite_all(plan))


def written(groups: Iterable[RewrittenGroup]) -> list[Path]:
    """Of the groups, the new files."""
    return [Path(one_spelling(f.path)) for one in groups for f in one.written]
