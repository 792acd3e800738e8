"""`ops.journal`: one row for each operation on a table that ended, however it ended."""

import json
from collections.abc import Mapping, Sequence

from pyiceberg.types import DoubleType, LongType, StringType, TimestamptzType

from dp_assets.core.ids import TableId
from dp_assets.core.units import iso_utc_ms
from dp_assets.domains.lake.ops_tables import Column, ops_schema
from dp_assets.ports.maintenance import Attempt
from dp_assets.ports.tables import TableSpec

Cell = str | int | float | bool | None

_COLUMNS: Sequence[Column] = (
    ("table", StringType(), True, "Its name in the catalog, namespace.table."),
    ("uuid", StringType(), False, "Of the table: dropped and made again, it is another."),
    ("operation", StringType(), True, "expiry, manifests, compaction or orphans."),
    ("outcome", StringType(), True, "done, nothing to do, refused, failed or outcome unknown."),
    ("started_at", TimestamptzType(), True, "When, UTC."),
    ("finished_at", TimestamptzType(), True, "When, UTC."),
    ("seconds", DoubleType(), True, "Between the two."),
    ("pointer", StringType(), True, "The table's metadata file when it ended."),
    ("problem", StringType(), False, "What failed or was refused; null: nothing."),
    ("before", StringType(), False, "Figures before, a JSON object; null: not measured."),
    ("after", StringType(), False, "Figures after, a JSON object; null: not measured."),
    ("memory_bytes", LongType(), False, "Peak above what the process had before; null: not known."),
    ("run_id", StringType(), True, "Dagster run, or the process that did it."),
    ("conflicts", StringType(), False, "Partitions compacted in vain, a JSON array; null: none."),
)

JOURNAL = TableSpec(
    table=TableId("ops", "journal"),
    schema=ops_schema(_COLUMNS),
    comment="Maintenance: one row for each operation on a table that ended.",
    key_columns=("table", "operation", "started_at"),
    writer="ops/facts",
)


def journal_row(attempt: Attempt) -> dict[str, Cell]:
    """An attempt as it is kept."""
    return {
        "table": attempt.table,
        "uuid": attempt.uuid or None,
        "operation": str(attempt.operation),
        "outcome": str(attempt.outcome),
        "started_at": iso_utc_ms(attempt.started_at_ms),
        "finished_at": iso_utc_ms(attempt.finished_at_ms),
        "seconds": (attempt.finished_at_ms - attempt.started_at_ms) / 1000,
        "pointer": attempt.pointer,
        "problem": attempt.problem or None,
        "before": _figures(attempt.before),
        "after": _figures(attempt.after),
        "memory_bytes": attempt.memory_bytes,
        "run_id": attempt.run_id,
        "conflicts": json.dumps(attempt.conflicts) if attempt.conflicts else None,
    }


def _figures(figures: Mapping[str, int] | None) -> str | None:
    return None if figures is None else json.dumps(figures, sort_keys=True)
