"""One group of a compaction after the other: live rows into new files, measured and proven.

Nothing names the files when this is done; the commit that does is another's.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
from pyiceberg.schema import Schema

from dp_assets.adapters.maintenance.applied_deletes import applied_deletes
from dp_assets.adapters.maintenance.careful_writing import may_merge_zeros, write_rows
from dp_assets.adapters.maintenance.duckdb_memory import give_back
from dp_assets.adapters.maintenance.file_statistics import MeasuredFile, measure_file
from dp_assets.adapters.maintenance.group_differences import OtherContentError
from dp_assets.adapters.maintenance.group_query import GroupQuery
from dp_assets.adapters.maintenance.new_files import NewFiles, data_folder, new_name
from dp_assets.adapters.maintenance.parquet_copy import FileShape
from dp_assets.adapters.maintenance.row_group_copy import row_group_copier
from dp_assets.adapters.maintenance.row_lineage import written_schema
from dp_assets.adapters.maintenance.sort_order import order_by, order_id
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.ports.compaction import Group, RewrittenGroup, WrittenFile

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

    from dp_assets.adapters.maintenance.group_proof import GroupProof
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


class GroupRewriter:
    """Rewrites groups of one table.

    Args:
        connection: DuckDB, bounded in memory.
        closure: the table at the plan's pointer.
        files: reads delete files, writes what is not on a local disk.
        settings: what may be used.
        proof: of the same plan.
    """

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
        self._keeps_zeros = self._is_frugal = False
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
            try:
                written = self._proven(group, new)
            except duckdb.OutOfMemoryException:
                if self._is_frugal:
                    raise
                self._be_frugal()
                new.clear()
                written = self._proven(group, new)
            new.keep(written)
        return RewrittenGroup(
            group,
            tuple(self._described(new.location(path), one) for path, one in written.items()),
        )

    def _proven(self, group: Group, new: NewFiles) -> dict[Path, MeasuredFile]:
        """Files with the live rows; written once more where zeros may have lost their sign."""
        give_back(self._connection)
        written = {path: self._measured(path) for path in self._write(group, new)}
        if not self._settings.is_proven:
            return written
        give_back(self._connection)
        try:
            self._proof.prove(group, written)
        except OtherContentError:
            if self._keeps_zeros or not any(map(may_merge_zeros, written)):
                raise
            self._keeps_zeros = True
            new.clear()
            return self._proven(group, new)
        return written

    def _be_frugal(self) -> None:
        """Need less memory from now on: what one group has, the next may have, too."""
        self._is_frugal = True
        self._connection.execute("SET threads = 1")

    def _write(self, group: Group, new: NewFiles) -> list[Path]:
        """Files with rows; integers in them have no annotation."""
        copied = self._copier.copied(group, new) if self._copier else None
        if copied is not None:
            return copied
        source = self._query.sql(group, applied_deletes(self._files, group))
        shape = FileShape(group, keeps_zeros=self._keeps_zeros, is_bounded=self._is_frugal)
        return write_rows(
            self._connection,
            source,
            schema=self._schema,
            order=self._order,
            shape=shape,
            new=new,
        )

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
