"""Operations on tables as Dagster knows them: their keys, and what a materialization says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import format_bytes, format_seconds
from dp_assets.orchestration.maintaining import size_picture
from dp_assets.ports.maintenance import Operation, Outcome

if TYPE_CHECKING:
    from dp_assets.usecases.maintenance.one_operation import Ran

KEYS: Mapping[Operation, dg.AssetKey] = {
    Operation.EXPIRY: keys.EXPIRY,
    Operation.MANIFESTS: keys.MANIFESTS,
    Operation.COMPACTION: keys.COMPACTION,
    Operation.ORPHANS: keys.ORPHANS,
}
# On runs: the table, which dagster.yaml limits to one run at a time; and the limits reached.
TABLE, WHY = "dp/maintenance", "dp/why"
FIGURES = ("files", "small_files", "bytes", "rows", "delete_files", "manifests", "snapshots")
BY_HAND = "somebody asked for it"


def operation_metadata(ran: Ran, *, why: str) -> dict[str, dg.MetadataValue]:
    """What the page of a table shows of one operation; ``why`` it was begun, in words."""
    attempt = ran.attempt
    rewritten = (attempt.before or {}).get("rewritten_bytes", 0)
    seconds = (attempt.finished_at_ms - attempt.started_at_ms) / 1000
    found = {
        "outcome": dg.MetadataValue.text(str(attempt.outcome)),
        "why": dg.MetadataValue.text(attempt.problem or why),
        "figures": dg.MetadataValue.md(_figures(attempt.before or {}, attempt.after or {})),
        "files": dg.MetadataValue.int(ran.after.files),
        "sizes": dg.MetadataValue.md(_sizes(ran)),
        "took": dg.MetadataValue.text(format_seconds(seconds)),
        "seconds": dg.MetadataValue.float(seconds),
        "rewritten": dg.MetadataValue.text(format_bytes(rewritten)),
        "rewritten_bytes": dg.MetadataValue.int(rewritten),
        # As text: as numbers the browser would round them.
        "own_snapshots": dg.MetadataValue.text(", ".join(map(str, ran.own)) or "none"),
        "snapshot_before": dg.MetadataValue.text(str(ran.before.head)),
        "snapshot_id": dg.MetadataValue.text(str(ran.after.head)),
        "metadata_location_before": dg.MetadataValue.text(ran.before.pointer),
        "metadata_location": dg.MetadataValue.text(ran.after.pointer),
        "last_done": dg.MetadataValue.text(ran.last),
    }
    if attempt.memory_bytes is not None:
        found["memory"] = dg.MetadataValue.text(format_bytes(attempt.memory_bytes))
        found["memory_bytes"] = dg.MetadataValue.int(attempt.memory_bytes)
    return found


def _figures(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    rows = [
        f"| {name.replace('_', ' ')} | {_figure(name, before)} | {_figure(name, after)} |"
        for name in FIGURES
    ]
    return "\n".join(["| | before | after |", "|---|---|---|", *rows])


def _figure(name: str, figures: Mapping[str, int]) -> str:
    if name not in figures:
        return "?"
    return format_bytes(figures[name]) if name == "bytes" else f"{figures[name]:,}"


def _sizes(ran: Ran) -> str:
    """The data files by size; once when nothing was done."""
    if ran.attempt.outcome is not Outcome.DONE:
        return size_picture(ran.after)
    return f"before\n\n{size_picture(ran.before)}\n\nafter\n\n{size_picture(ran.after)}"
