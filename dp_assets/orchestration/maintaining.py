"""What the pages of Dagster show of a table's health."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from dp_assets import keys
from dp_assets.core.units import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dp_assets.core.ids import TableId
    from dp_assets.ports.maintenance import TableHealth

WORST = 10


def health_observation(table: TableId, health: TableHealth) -> dg.AssetObservation:
    """For the page of the table, as the inventory discovered it."""
    from dp_assets.domains.maintenance.burden import burden_bytes
    from dp_assets.domains.maintenance.causes import causes

    found = causes(health, now_ms=health.at_ms)
    return dg.AssetObservation(
        asset_key=keys.discovered(table.namespace, table.name),
        metadata={
            "burden_bytes": burden_bytes(health),
            "causes": dg.MetadataValue.md("\n".join(f"- {c.text}" for c in found) or "none"),
            "files": health.files,
            "small_files": health.small_files,
            "size_error": float(health.error),
            "delete_files": health.delete_files,
            "manifests": health.manifests,
            "snapshots": health.snapshots,
            "metadata_size": format_bytes(health.metadata_bytes),
            "old_size": format_bytes(health.old_bytes),
            "sizes": dg.MetadataValue.md(size_picture(health)),
            "metadata_location": health.pointer,
        },
    )


def size_picture(health: TableHealth) -> str:
    """The data files by size, a bar each, as Markdown."""
    from dp_assets.domains.maintenance.pictures import size_rows

    lines = [f"{row.name:>11} {row.bar:<20} {row.files:,}" for row in size_rows(health, width=20)]
    return "\n".join(["```", *lines, "```"])


def worst_table(tables: Iterable[tuple[TableId, TableHealth]]) -> dg.MetadataValue:
    """The worst tables with their worst cause, as Markdown."""
    from dp_assets.domains.maintenance.burden import burden_bytes
    from dp_assets.domains.maintenance.causes import causes
    from dp_assets.domains.maintenance.sweep_plan import worst_first

    rows = ["| table | burden | worst cause |", "|---|---|---|"]
    for table, health in worst_first(tables)[:WORST]:
        found = causes(health, now_ms=health.at_ms)
        said = found[0].text if found else "healthy"
        rows.append(f"| {table} | {format_bytes(burden_bytes(health))} | {said} |")
    return dg.MetadataValue.md("\n".join(rows))
