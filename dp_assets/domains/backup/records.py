"""`ops.recovery_points`: one row per attempt to make a point and per drill of one."""

from collections.abc import Sequence

from pyiceberg.types import (
    BooleanType,
    DoubleType,
    LongType,
    StringType,
    TimestamptzType,
)

from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc_ms
from dp_assets.domains.lake.ops_tables import Column, ops_schema
from dp_assets.ports.recovery import PointManifest, PointRecord, ProofRecord
from dp_assets.ports.tables import TableSpec

Cell = str | int | float | bool | None
POINT, DRILL = "point", "drill"

_COLUMNS: Sequence[Column] = (
    ("kind", StringType(), True, "point: one was made or tried; drill: one was restored."),
    ("point", LongType(), False, "Number of the point; null when none was made."),
    ("started_at", TimestamptzType(), True, "When it began, UTC."),
    ("finished_at", TimestamptzType(), True, "When it ended, UTC."),
    ("seconds", DoubleType(), True, "Of a drill: the measured recovery time."),
    ("tables", LongType(), False, "Tables in the point, or compared by the drill."),
    ("files", LongType(), False, "Files that the tables of the point need."),
    ("bytes", LongType(), False, "Of these files; of a drill: restored."),
    ("copied_files", LongType(), False, "Files that the repository did not have yet."),
    ("copied_bytes", LongType(), False, "Of these files."),
    ("sampled_files", LongType(), False, "Known files that were read again to be sure."),
    ("complete", BooleanType(), True, "Every table is whole; of a drill: every table is proven."),
    ("scope", StringType(), False, "Of a drill: sample or everything."),
    ("problem", StringType(), False, "What is not whole or not proven; null when nothing."),
    ("run_id", StringType(), True, "Dagster run, or the process that did it."),
)

RECOVERY_POINTS = TableSpec(
    table=TableId("ops", "recovery_points"),
    schema=ops_schema(_COLUMNS),
    comment="Recovery points made and drilled: one row per attempt.",
    key_columns=("kind", "started_at", "run_id"),
    writer="ops/facts",
)


def point_row(
    manifest: PointManifest, record: PointRecord, *, sampled_files: int, run_id: str
) -> dict[str, Cell]:
    """A point that was made, whole or not."""
    problems = [f"{table.table}: {table.problem}" for table in manifest.tables if table.problem]
    return {
        "kind": POINT,
        "point": record.number,
        "started_at": iso_utc_ms(manifest.started_at_ms),
        "finished_at": iso_utc_ms(manifest.finished_at_ms),
        "seconds": record.seconds,
        "tables": record.tables,
        "files": sum(table.files for table in manifest.tables),
        "bytes": record.bytes,
        "copied_files": sum(table.copied_files for table in manifest.tables),
        "copied_bytes": record.copied_bytes,
        "sampled_files": sampled_files,
        "complete": record.complete,
        "problem": "; ".join(problems) or None,
        "run_id": run_id,
    }


def failed_row(
    *,
    started_at_ms: int,
    finished_at_ms: int,
    problem: str,
    run_id: str,
    drilled: int | None = None,
) -> dict[str, Cell]:
    """An attempt that made no point, or that came to no verdict on the point ``drilled``."""
    return {
        "kind": POINT if drilled is None else DRILL,
        "point": drilled,
        "started_at": iso_utc_ms(started_at_ms),
        "finished_at": iso_utc_ms(finished_at_ms),
        "seconds": (finished_at_ms - started_at_ms) / 1000,
        "complete": False,
        "problem": problem,
        "run_id": run_id,
    }


def proof_row(proof: ProofRecord, *, run_id: str) -> dict[str, Cell]:
    """A drill; a table that is not proven is named."""
    problems = [f"{name}: {said}" for name, said in proof.tables.items() if said != "proven"]
    return {
        "kind": DRILL,
        "point": proof.point,
        "started_at": iso_utc_ms(proof.at_ms),
        "finished_at": iso_utc_ms(proof.at_ms + round(proof.seconds * 1000)),
        "seconds": float(proof.seconds),
        "tables": len(proof.tables),
        "bytes": proof.bytes,
        "complete": proof.proven,
        "scope": proof.scope,
        "problem": "; ".join(problems) or None,
        "run_id": run_id,
    }
