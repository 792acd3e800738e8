"""`dp health TABLE`: figures, sizes, worst partitions, causes, and the last sweeps."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells
from dp_assets.cli.health import is_wide
from dp_assets.cli.output import Cell, Output, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dp_assets.core.ids import TableId
    from dp_assets.ports.maintenance import PartitionHealth, TableHealth
    from dp_assets.usecases.maintenance.looking import PastHealth

PARTITIONS = ("partition", "files", "small", "size", "target", "deletes", "spec", "error", "rows")
HISTORY = ("measured", "burden", "files", "small", "size", "snapshots", "manifests", "deletes")
IN_80_CHARACTERS = 6  # columns of both
SWEEPS = 10
BAR = 30


def show_page(out: Output, name: str) -> None:
    """Everything about the table called ``name``, and its last sweeps."""
    from dp_assets.core.ids import TableId
    from dp_assets.core.units import now_ms
    from dp_assets.domains.maintenance.causes import causes
    from dp_assets.lakehouse import opened
    from dp_assets.usecases.maintenance.looking import look_at, past_health

    now = now_ms()
    with opened(doing="dp health") as lake:
        found = look_at(lake, name, now_ms=now)
        past = past_health(lake, name, most=SWEEPS)
    if out.json:
        out.document(document(TableId.parse(name), found, now) | {"history": _history(past)})
        return
    out.facts(_facts(found))
    out.line("\nCauses, worst first")
    for cause in causes(found, now_ms=now):
        out.line(f"  {cause.text}")
    if not causes(found, now_ms=now):
        out.line("  none: it is healthy")
    if found.files:
        out.table("\nData files by size", ("size", "files", "share of files"), _sizes(found))
    width = None if is_wide() else IN_80_CHARACTERS
    if found.partitions and (found.partition_count > 1 or found.partitions[0].partition):
        title = f"\nWorst partitions, {len(found.partitions)} of {found.partition_count:,}"
        rows = [_partition_row(one)[:width] for one in found.partitions]
        out.table(title, PARTITIONS[:width], rows)
    out.table("\nLast sweeps", HISTORY[:width], [_past_row(one)[:width] for one in past])


def _facts(found: "TableHealth") -> "dict[str, Cell]":
    from dp_assets.core.units import format_bytes
    from dp_assets.domains.maintenance.burden import burden_bytes

    mean = f", mean {format_bytes(found.bytes // found.files)}" if found.files else ""
    ratio = f", {found.delete_ratio:.1%} of the rows" if found.delete_files else ""
    return {
        "table": found.table,
        "burden": cells.size(burden_bytes(found)),
        "rows": cells.count(found.rows),
        "data files": Shown(found.files, f"{found.files:,}{mean}"),
        "size": cells.size(found.bytes),
        "small files": Shown(found.small_files, f"{found.small_files:,}, {found.small_share:.0%}"),
        "size error": Shown(found.error, f"{found.error:.3f} (0 at target, 1 empty)"),
        "delete files": Shown(found.delete_files, f"{found.delete_files:,}{ratio}"),
        "manifests": cells.count(found.manifests),
        "snapshots": cells.count(found.snapshots),
        "oldest snapshot": cells.time(found.oldest_snapshot_ms),
        "metadata file": cells.size(found.metadata_bytes),
        "only in old snapshots": cells.size(found.old_bytes),
        "in no snapshot": cells.size(found.unheld_bytes),
        "partitions": cells.count(found.partition_count),
        "skew": Shown(found.skew, f"{found.skew:.1f} (largest partition over the mean)"),
    }


def _sizes(found: "TableHealth") -> "Iterator[tuple[Cell, ...]]":
    from dp_assets.domains.maintenance.pictures import size_rows

    for row in size_rows(found, width=BAR):
        yield row.name, cells.count(row.files), row.bar


def _partition_row(one: "PartitionHealth") -> tuple[Cell, ...]:
    return (
        one.partition or "(unpartitioned)",
        cells.count(one.files),
        cells.count(one.small_files),
        cells.size(one.bytes),
        cells.size(one.target_bytes),
        cells.count(one.delete_files),
        one.spec_id,
        Shown(one.error, f"{one.error:.3f}"),
        cells.count(one.rows),
    )


def _past_row(past: "PastHealth") -> tuple[Cell, ...]:
    return (
        cells.time(past.at_ms),
        cells.size(past.burden_bytes) if past.problem is None else past.problem,
        cells.count(past.files),
        cells.count(past.small_files),
        cells.size(past.bytes),
        cells.count(past.snapshots),
        cells.count(past.manifests),
        cells.count(past.delete_files),
    )


def document(table: "TableId", found: "TableHealth", now: int) -> dict[str, object]:
    """A table's health in JSON."""
    from dataclasses import asdict

    from dp_assets.domains.maintenance.burden import burden_bytes
    from dp_assets.domains.maintenance.causes import causes

    return {
        **asdict(found),
        "table": str(table),
        "burden_bytes": burden_bytes(found),
        "small_share": found.small_share,
        "delete_ratio": found.delete_ratio,
        "causes": [cause.text for cause in causes(found, now_ms=now)],
    }


def _history(past: "tuple[PastHealth, ...]") -> list[dict[str, object]]:
    from dataclasses import asdict

    return [asdict(one) for one in past]
