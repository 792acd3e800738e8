"""The demo's maintenance: run as the sensor would, with each table and query before and after."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells
from dp_assets.cli.output import Cell, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dp_assets.orchestration.running import Finished, Progress
    from dp_assets.settings import Settings
    from dp_assets.usecases.maintenance.demo_maintenance import Look, Maintained

TABLE_COLUMNS = ("table", "files", "size", "manifests", "rows", "content hash", "equal")


def run_maintenance(
    settings: "Settings", show: "Progress"
) -> "tuple[tuple[Finished, ...], Maintained]":
    """What is due of the pipeline's tables, each as a run of Dagster; then the queries again."""
    from dp_assets.core.units import now_ms
    from dp_assets.lakehouse import opened
    from dp_assets.orchestration.running import run_job, run_operations
    from dp_assets.usecases.maintenance.demo_maintenance import (
        Maintained,
        due_of_pipeline,
        look,
        queries,
    )

    finished = run_job(settings, job="inventory", days="", show=show)  # reports made tables since
    with opened(settings, doing="dp demo") as lake:
        slow = queries(lake)
        jobs = due_of_pipeline(lake, now_ms=now_ms())
        before = {table: look(lake, table, now_ms=now_ms()) for table, _ in jobs}
    finished += run_operations(settings, jobs, show=show)
    for job in ("health", "report"):
        finished += run_job(settings, job=job, days="", show=show)
    with opened(settings, doing="dp demo") as lake:
        after = {table: look(lake, table, now_ms=now_ms()) for table in before}
        return finished, Maintained(before, after, slow, queries(lake))


def print_maintenance(out: Output, done: "Maintained") -> None:
    """Tables that changed and the queries, before and after."""
    rows = list(_rows(done))
    if not rows:
        return
    out.line("\nMaintenance compacted what a commit a day had left in small files")
    out.table("Tables, before and after", TABLE_COLUMNS, rows)
    if done.slow and done.fast:
        out.table(
            "Queries, median seconds",
            ("query", "before", "after"),
            [(name, f"{s:.3f}", f"{done.fast[name]:.3f}") for name, s in done.slow.items()],
        )


def maintenance_document(done: "Maintained") -> dict[str, object]:
    """The same for programs."""
    return {
        "tables": {
            str(table): {"before": _figures(look), "after": _figures(done.after[table])}
            for table, look in done.before.items()
        },
        "queries": {"before": dict(done.slow), "after": dict(done.fast)},
        "equal": done.is_equal,
    }


def _rows(done: "Maintained") -> "Iterator[tuple[Cell, ...]]":
    from dp_assets.core.units import format_bytes

    for table, old in done.before.items():
        new = done.after[table]
        if (old.files, old.manifests) == (new.files, new.manifests):
            continue
        yield (
            str(table),
            f"{old.files:,} → {new.files:,}",
            f"{format_bytes(old.bytes)} → {format_bytes(new.bytes)}",
            f"{old.manifests:,} → {new.manifests:,}",
            cells.count(new.content.rows),
            new.content.hash,
            old.content == new.content,
        )


def _figures(look: "Look") -> dict[str, object]:
    return {
        "files": look.files,
        "bytes": look.bytes,
        "manifests": look.manifests,
        "rows": look.content.rows,
        "content_hash": look.content.hash,
    }
