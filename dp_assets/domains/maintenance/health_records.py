"""`ops.table_health`: one row per sweep and table that had moved."""

from collections.abc import Sequence

from pyiceberg.types import DoubleType, LongType, StringType, TimestamptzType

from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc_ms
from dp_assets.domains.lake.ops_tables import Column, ops_schema
from dp_assets.domains.maintenance.burden import burden_bytes
from dp_assets.domains.maintenance.causes import causes
from dp_assets.ports.health_state import Measured, Unmeasured
from dp_assets.ports.tables import TableSpec

Cell = str | int | float | bool | None

_COLUMNS: Sequence[Column] = (
    ("table", StringType(), True, "Its name in the catalog, namespace.table."),
    ("uuid", StringType(), False, "Of the table: dropped and made again, it is another."),
    ("measured_at", TimestamptzType(), True, "When, UTC."),
    ("pointer", StringType(), True, "The metadata file that was measured."),
    ("problem", StringType(), False, "Why it could not be measured; null when it was."),
    ("burden_bytes", LongType(), False, "One number for ordering: what its state costs in vain."),
    ("causes", StringType(), False, "What is wrong, worst first, one per line; null: nothing."),
    ("format_version", LongType(), False, "Of Iceberg's table format."),
    ("head", LongType(), False, "Current snapshot; null without one."),
    ("files", LongType(), False, "Data files of the head."),
    ("bytes", LongType(), False, "Of these files."),
    ("rows", LongType(), False, "In these files, deleted ones included."),
    ("small_files", LongType(), False, "Data files below three quarters of their target size."),
    ("size_error", DoubleType(), False, "Mean of (1 - size / target)^2, files at target are 0."),
    ("size_counts", StringType(), False, "Files below 1 KiB, below 2 KiB, below 4 KiB, ..."),
    ("delete_files", LongType(), False, "Delete files and deletion vectors of the head."),
    ("deleted_rows", LongType(), False, "Rows that these name; an upper bound."),
    ("manifests", LongType(), False, "Of the head."),
    ("snapshots", LongType(), False, "Kept in the metadata."),
    ("oldest_snapshot_at", TimestamptzType(), False, "Of the oldest snapshot, UTC."),
    ("metadata_bytes", LongType(), False, "Of the metadata file."),
    ("old_bytes", LongType(), False, "Data and deletes that only other snapshots hold."),
    ("unheld_bytes", LongType(), False, "What nothing holds; null: never swept for orphans."),
    ("partitions", LongType(), False, "Partitions of all specs that have files."),
    ("skew", DoubleType(), False, "Bytes of the largest partition over the mean of all."),
    ("run_id", StringType(), True, "Dagster run, or the process that measured."),
)

TABLE_HEALTH = TableSpec(
    table=TableId("ops", "table_health"),
    schema=ops_schema(_COLUMNS),
    comment="Health of tables: one row per sweep and table that had moved.",
    key_columns=("table", "measured_at"),
    writer="ops/facts",
)


def health_row(table: TableId, found: Measured, *, run_id: str) -> dict[str, Cell]:
    """What a sweep found of one table."""
    about: dict[str, Cell] = {
        "table": str(table),
        "measured_at": iso_utc_ms(found.at_ms),
        "pointer": found.pointer,
        "run_id": run_id,
    }
    if isinstance(found, Unmeasured):
        return {**about, "problem": found.problem}
    said = [cause.text for cause in causes(found, now_ms=found.at_ms)]
    oldest_ms = found.oldest_snapshot_ms
    return {
        **about,
        "uuid": found.uuid or None,
        "burden_bytes": burden_bytes(found),
        "causes": "\n".join(said) or None,
        "format_version": found.format_version,
        "head": found.head,
        "files": found.files,
        "bytes": found.bytes,
        "rows": found.rows,
        "small_files": found.small_files,
        "size_error": float(found.error),
        "size_counts": ",".join(map(str, found.size_counts)),
        "delete_files": found.delete_files,
        "deleted_rows": found.deleted_rows,
        "manifests": found.manifests,
        "snapshots": found.snapshots,
        "oldest_snapshot_at": None if oldest_ms is None else iso_utc_ms(oldest_ms),
        "metadata_bytes": found.metadata_bytes,
        "old_bytes": found.old_bytes,
        "unheld_bytes": found.unheld_bytes,
        "partitions": found.partition_count,
        "skew": float(found.skew),
    }
