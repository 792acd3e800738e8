"""Real tables, rewritten and read again by PyIceberg, as if the new files had been committed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue
from pyiceberg.io.pyarrow import ArrowScan
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask, Table
from pyiceberg.typedef import EMPTY_DICT, Properties, Record
from pyiceberg.types import DoubleType, LongType, NestedField, StringType

from dp_assets.adapters.durable_io import DurableFileIO
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.duckdb_rewrite import rewriter
from dp_assets.adapters.maintenance.group_rewriting import RewriteSettings
from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.reading_proof import open_table
from dp_assets.domains.maintenance.compaction import CompactionRule, plan_compaction
from dp_assets.ports.compaction import CompactionPlan, RewrittenGroup, WrittenFile
from dp_assets.ports.recovery import History
from dp_assets.ports.row_groups import RowGroupRule

# Everything, whatever its size.
ALL = CompactionRule(min_inputs=1, older_specs=True)

SIMPLE = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "text", StringType(), required=False),
    NestedField(3, "f", DoubleType(), required=False),
)


@dataclass(frozen=True)
class Rewritten:
    """A plan and what came of its groups."""

    plan: CompactionPlan
    groups: tuple[RewrittenGroup, ...]
    table: Table

    @property
    def files(self) -> list[WrittenFile]:
        return [file for group in self.groups for file in group.written]

    def rows(self) -> list[str]:
        """Of the new files."""
        return rows_of(self.table, self.groups)

    def rows_before(self) -> list[str]:
        """Of the table, the same way."""
        return shown(self.table.scan().to_arrow())


def rewritten(
    pointer: str,
    folder: Path,
    rule: CompactionRule = ALL,
    memory_limit: str = "128MB",
    name: str = "n.t",
    take_over: RowGroupRule | None = None,
) -> Rewritten:
    """Every group of a table's plan, rewritten; nothing is committed."""
    table = open_table(pointer, DurableFileIO())
    files = LocalLakeFiles()
    closure = read_closure(files, pointer, history=History.CURRENT)
    plan = plan_compaction(name, closure, rule=rule)
    staging = folder / "staging"
    settings = RewriteSettings(memory_limit, threads=2, staging=staging, take_over=take_over)
    with rewriter(plan, closure, files=files, io=table.io, settings=settings) as work:
        return Rewritten(plan, tuple(work.rewrite(group) for group in plan.groups), table)


@contextmanager
def new_table(
    folder: Path,
    schema: Schema,
    *,
    spec: PartitionSpec | None = None,
    properties: Properties = EMPTY_DICT,
) -> Iterator[Table]:
    """A table of PyIceberg's, in a catalog of its own."""
    catalog = SqlCatalog("c", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}/lake")
    catalog.create_namespace("n")
    yield catalog.create_table(
        "n.t", schema, partition_spec=spec or UNPARTITIONED_PARTITION_SPEC, properties=properties
    )
    catalog.close()


def append(table: Table, *rows: dict[str, Any]) -> None:
    """One commit, one file per partition."""
    table.append(pa.Table.from_pylist(list(rows), schema=table.schema().as_arrow()))


def delete_positions(table: Table, deletes: Iterable[tuple[str, int]], **options: Any) -> None:
    """Commit position deletes, (path, row) each, in an unpartitioned table.

    PyIceberg cannot, so the delete file is listed among data files, which both readers take.
    """
    pairs = list(deletes)
    location = f"{table.location()}/data/deletes-{uuid4()}.parquet"
    columns = {
        "file_path": pa.array([path for path, _ in pairs], pa.string()),
        "pos": pa.array([row for _, row in pairs], pa.int64()),
    }
    local(location).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), local(location))
    made = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=len(pairs),
        file_size_in_bytes=local(location).stat().st_size,
        **options,
    )
    made.spec_id = 0
    with table.transaction() as transaction, transaction.update_snapshot().fast_append() as update:
        update.append_data_file(made)


def paths_of(table: Table) -> list[str]:
    """Of its data files."""
    return sorted(task.file.file_path for task in table.scan().plan_files())


def shown(rows: pa.Table) -> list[str]:
    """Rows that compare and sort: NaN is NaN, -0.0 is not 0.0, an entry of a map has no place."""
    return sorted(_shown(row) for row in rows.to_pylist())


def local(location: str) -> Path:
    path = local_path(location)
    assert path
    return path


def rows_of(table: Table, groups: Iterable[RewrittenGroup]) -> list[str]:
    """Of new files, as PyIceberg reads them by the table's schema, in no order."""
    tasks = [
        FileScanTask(_data_file(file, group.group.spec_id))
        for group in groups
        for file in group.written
    ]
    scan = ArrowScan(table.metadata, table.io, table.schema(), AlwaysTrue())
    return shown(scan.to_table(tasks))


def parquet_files(folder: Path) -> set[Path]:
    return set(folder.rglob("*.parquet"))


def _data_file(file: WrittenFile, spec_id: int) -> DataFile:
    made = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=file.path,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=file.records,
        file_size_in_bytes=file.size,
    )
    made.spec_id = spec_id
    return made


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{k}: {_shown(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        inner: Iterable[str] = [_shown(one) for one in value]
        if value and isinstance(value[0], tuple):
            inner = sorted(inner)
        return f"[{', '.join(inner)}]"
    if isinstance(value, tuple):
        return f"({', '.join(_shown(one) for one in value)})"
    return repr(value)
