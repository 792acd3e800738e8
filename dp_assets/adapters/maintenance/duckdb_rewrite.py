"""Compaction by DuckDB: a group's live rows into new files, measured and proven.

Nothing names the files when this is done; the commit that does is another's. DuckDB streams the
rows within its memory limit and spills beside the staging folder.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from pyiceberg.schema import Schema

from dp_assets.adapters.local_files import make_folders
from dp_assets.adapters.maintenance.applied_deletes import applied_deletes
from dp_assets.adapters.maintenance.file_statistics import MeasuredFile, measure_file
from dp_assets.adapters.maintenance.fixed_writer import arrow_columns, has_fixed, write_fixed
from dp_assets.adapters.maintenance.group_proof import GroupProof
from dp_assets.adapters.maintenance.group_query import GroupQuery
from dp_assets.adapters.maintenance.iceberg_sql import quoted
from dp_assets.adapters.maintenance.new_files import NewFiles, data_folder, new_name
from dp_assets.adapters.maintenance.parquet_copy import FileShape, copy_rows
from dp_assets.adapters.maintenance.row_group_copy import row_group_copier
from dp_assets.adapters.maintenance.row_lineage import written_schema
from dp_assets.adapters.maintenance.sort_order import order_by, order_id
from dp_assets.adapters.recovery.duckdb_proof import reach_s3
from dp_assets.adapters.recovery.reading_proof import open_table
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.compaction import CompactionPlan, Group, RewrittenGroup, WrittenFile

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from pyiceberg.io import FileIO

    from dp_assets.ports.closure import TableClosure
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.row_groups import RowGroupRule


@dataclass(frozen=True, slots=True)
class RewriteSettings:
    """What a rewrite may use.

    Attributes:
        memory_limit: of DuckDB, as it writes it: ``256MB``.
        staging: a folder for what spills, and for files that go to a bucket.
        s3: PyIceberg's properties of the object store; None: local disks only.
        take_over: says where row groups are copied as they are; None: nowhere.
        is_proven: False only to measure what the proof costs.
    """

    memory_limit: str
    threads: int
    staging: Path
    s3: Mapping[str, str] | None = field(default=None, repr=False)
    take_over: RowGroupRule | None = None
    is_proven: bool = True


@contextmanager
def rewriter(
    plan: CompactionPlan,
    closure: TableClosure,
    *,
    files: LakeFiles,
    io: FileIO,
    settings: RewriteSettings,
) -> Generator[GroupRewriter, None, None]:
    """Rewrites the groups of a plan while the statement lasts.

    Args:
        plan: made from ``closure``.
        closure: the table at the plan's pointer.
        files: reads delete files, writes what is not on a local disk.
        io: PyIceberg's, for the proof.
        settings: what may be used.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": settings.memory_limit,
        "threads": str(settings.threads),
        "temp_directory": str(settings.staging / "duckdb"),
        "autoinstall_known_extensions": "false",
        # Every file is read once, and what is freed goes back: a peak of 392 MB instead of 501 for
        # 6 million rows in 400 files, with a limit of 128 MB.
        "enable_external_file_cache": "false",
        "allocator_background_threads": "true",
    }
    make_folders(settings.staging)
    with _giving_back(), duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        if settings.s3 is not None:
            reach_s3(connection, settings.s3)
        table = open_table(plan.pointer, io)
        proof = GroupProof(table, plan.snapshot_id, connection)
        yield GroupRewriter(connection, closure, files=files, settings=settings, proof=proof)


@contextmanager
def _giving_back() -> Generator[None, None, None]:
    """PyArrow takes memory from the system, not from a pool that keeps what was freed.

    For the proof of 6 million rows in 400 files: about 30 MiB less at the peak, as fast.
    """
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


class GroupRewriter:
    """Rewrites groups of one table; see :func:`rewriter`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        closure: TableClosure,
        *,
        files: LakeFiles,
        settings: RewriteSettings,
        proof: GroupProof,
    ) -> None:
        self._connection = connection
        self._metadata = closure.metadata
        self._location = closure.location
        self._properties: Mapping[str, str] = closure.metadata.get("properties") or {}
        schema = Schema.model_validate({"schema-id": 0, **closure.schema})
        self._schema = written_schema(schema, closure.format_version)
        self._order = order_by(closure.metadata, schema)
        self._query = GroupQuery(connection, closure.metadata, schema)
        self._files = files
        self._settings = settings
        self._proof = proof
        if not self._order:
            # Rows of one row group stay together, and no thread holds its rows until those before
            # are written: 0.6 s and 180 MB, not 1.2 s and 140 MB, with a limit of 128 MB (0.7 s
            # and 300 MB with none) for 1.5 million rows in 100 files; and row groups of 20 MB no
            # longer need more than that.
            connection.execute("SET preserve_insertion_order = false")
        self._copier = row_group_copier(
            self._schema, closure.metadata, rule=settings.take_over, is_sorted=bool(self._order)
        )

    def rewrite(self, group: Group) -> RewrittenGroup:
        """New files for a group: durable, proven to hold its live rows, and named by nothing.

        Whatever is raised, the new files are gone then.

        Raises:
            CompactionRefusedError: something in the group is not rewritten exactly.
            PermanentError: a file is damaged or gone, memory or disk is short, or what was
                written differs from what was there.
            TransientError: the object store did not answer.
        """
        name = new_name()
        folder = data_folder(self._location, self._properties, words=group.words, name=name)
        with (
            _errors(group),
            NewFiles(folder, name=name, files=self._files, staging=self._settings.staging) as new,
        ):
            written = {path: self._measured(path) for path in self._write(group, new)}
            if self._settings.is_proven:
                self._proof.prove(group, written)
            new.keep(written)
        return RewrittenGroup(
            group,
            tuple(self._described(new.location(path), one) for path, one in written.items()),
        )

    def _write(self, group: Group, new: NewFiles) -> list[Path]:
        """Files with rows; integers in them have no annotation."""
        copied = self._copier.copied(group, new) if self._copier else None
        if copied is not None:
            return copied
        source = self._query.sql(group, applied_deletes(self._files, group))
        columns = (
            arrow_columns(self._schema)
            if has_fixed(self._schema)
            else [quoted(field.name) for field in self._schema.fields]
        )
        query = f"SELECT {', '.join(columns)} FROM ({source}) {self._order}"
        write = write_fixed if has_fixed(self._schema) else copy_rows
        return write(self._connection, query, schema=self._schema, shape=FileShape(group), new=new)

    def _measured(self, path: Path) -> MeasuredFile:
        return measure_file(
            self._connection, path, schema=self._schema, properties=self._properties
        )

    def _described(self, location: str, measured: MeasuredFile) -> WrittenFile:
        return WrittenFile(
            path=location,
            size=measured.size,
            records=measured.records,
            statistics=measured.statistics,
            split_offsets=measured.split_offsets,
            sort_order_id=order_id(self._metadata) if self._order else 0,
        )


@contextmanager
def _errors(group: Group) -> Generator[None, None, None]:
    """What DuckDB, PyArrow and the disk raise, as ours."""
    what = f"rewrite {len(group.inputs)} files of {group.words or 'the table'}"
    try:
        yield
    except duckdb.HTTPException as error:
        raise TransientError(f"{what}: {error}", hint="is the object store up?") from error
    except duckdb.OutOfMemoryException as error:
        raise PermanentError(
            f"{what}: {error}", hint="give the operation more memory in lakehouse.yaml"
        ) from error
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise PermanentError(
            f"{what}: {error}", hint="is the disk full? 'dp doctor' looks for damage"
        ) from error
