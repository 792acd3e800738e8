"""The rows of a query in Parquet files, by DuckDB's COPY, and how large the files are to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.iceberg_sql import field_ids, text
from dp_assets.adapters.maintenance.plain_integers import remove_annotations

if TYPE_CHECKING:
    from pathlib import Path

    import duckdb
    from pyiceberg.schema import Schema

    from dp_assets.adapters.maintenance.new_files import NewFiles
    from dp_assets.ports.compaction import Group

# DuckDB's own. A row group is held decoded while it is written, so wide rows come in fewer.
ROW_GROUP_ROWS = 122_880
ROW_GROUP_BYTES = 32 << 20
BOUNDED_BYTES = 16 << 20
_VECTOR_ROWS = 2_048
_GROUPS_PER_FILE = 4


@dataclass(frozen=True, slots=True)
class FileShape:
    """How the files of a group are to be written.

    Attributes:
        keeps_zeros: -0.0 is not to become 0.0; see ``careful_writing``.
        is_bounded: row groups are bounded in bytes as they are in memory, too.
    """

    group: Group
    keeps_zeros: bool = False
    is_bounded: bool = False

    @property
    def rows_per_group(self) -> int:
        """A multiple of DuckDB's vectors; files end with row groups, so several are in each."""
        group = self.group
        per_row = max(1, group.bytes // max(1, group.records))
        rows = min(ROW_GROUP_ROWS, ROW_GROUP_BYTES // per_row)
        if group.outputs > 1:
            rows = min(rows, group.records // group.outputs // _GROUPS_PER_FILE)
        return max(_VECTOR_ROWS, rows - rows % _VECTOR_ROWS)

    @property
    def rows_per_file(self) -> int:
        """Rounded up."""
        group = self.group
        return max(1, -(-(group.records - group.deleted) // group.outputs))

    @property
    def bytes_per_file(self) -> int | None:
        """Rounded up; None for one file however large."""
        group = self.group
        return -(-group.expected_bytes // group.outputs) if group.outputs > 1 else None


def copy_rows(
    connection: duckdb.DuckDBPyConnection,
    query: str,
    *,
    schema: Schema,
    shape: FileShape,
    new: NewFiles,
) -> list[Path]:
    """Files with rows, in order; integers in them have no annotation.

    Args:
        connection: runs the query.
        query: gives the columns of ``schema`` in its order.
        schema: of the table; its field ids are written at every level.
        shape: of the files.
        new: names the files.
    """
    options = [
        "FORMAT parquet",
        "COMPRESSION zstd",
        f"ROW_GROUP_SIZE {shape.rows_per_group}",
        f"FIELD_IDS {field_ids(schema.fields)}",
        "RETURN_STATS true",
    ]
    if shape.keeps_zeros:
        options.append("DICTIONARY_SIZE_LIMIT 0")
    if shape.is_bounded:
        options.append(f"ROW_GROUP_SIZE_BYTES {BOUNDED_BYTES}")
    target = new.path(0)
    if shape.bytes_per_file is not None:
        options += [
            f"FILE_SIZE_BYTES {shape.bytes_per_file}",
            f"FILENAME_PATTERN {text(f'{new.name}-{{i}}')}",
            "OVERWRITE_OR_IGNORE true",  # the folder is not empty; no name in it is ours
        ]
        target = new.write_to
    connection.execute(f"COPY ({query}) TO {text(str(target))} ({', '.join(options)})")
    # Path and rows come first; a file is written even for no rows.
    found = {path.rpartition("/")[2]: rows for path, rows, *_ in connection.fetchall()}
    kept: list[Path] = []
    for path in (new.path(number) for number in range(len(found))):
        if found[path.name] == 0:
            path.unlink()
            continue
        remove_annotations(path)
        kept.append(path)
    return kept
