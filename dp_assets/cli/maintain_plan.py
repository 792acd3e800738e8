"""What `dp maintain` is about to do, for people and for programs."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells
from dp_assets.cli.output import Cell, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dp_assets.ports.compaction import CompactionPlan
    from dp_assets.usecases.maintenance.expiry_planning import PlannedExpiry
    from dp_assets.usecases.maintenance.maintaining import Planned

COLUMNS = ("partition", "files", "bytes", "deletes", "new files", "why")


def show_plan(out: Output, planned: "Planned") -> None:
    """The groups of a compaction, or what an expiry lets go; nothing in JSON."""
    if out.json:
        return
    title = f"{planned.operation} of {planned.table}"
    if planned.refused:
        out.line(f"{title} is refused: {planned.refused}")
    elif not planned.has_work:
        out.line(f"{title}: nothing to do")
    if planned.compaction is not None:
        if planned.compaction.groups:
            out.table(title, COLUMNS, _group_rows(planned.compaction))
        for reason in planned.compaction.left:
            out.line(f"  left: {reason}")
    if planned.expiry is not None and planned.has_work:
        _show_expiry(out, title, planned.expiry)


def plan_document(planned: "Planned") -> dict[str, object]:
    """The plan as JSON: what is read, replaced and let go, file by file."""
    about: dict[str, object] = {"pointer": planned.pointer}
    if planned.refused:
        return {**about, "refused": planned.refused}
    if planned.compaction is not None:
        groups = [
            {
                "partition": group.words,
                "inputs": [file.path for file in group.inputs],
                "bytes": group.bytes,
                "new_files": group.outputs,
                "reason": group.reason,
            }
            for group in planned.compaction.groups
        ]
        return {**about, "groups": groups, "left": list(planned.compaction.left)}
    if planned.expiry is not None:
        plan, freed = planned.expiry.plan, planned.expiry.freed
        about["snapshots"] = list(plan.snapshots)
        about["refs"] = [name for name, _ in plan.refs]
        about["freed"] = [file.path for file in freed.files]
        about["freed_bytes"] = freed.bytes
    return about


def _show_expiry(out: Output, title: str, expiry: "PlannedExpiry") -> None:
    from dp_assets.core.units import format_bytes

    plan, freed = expiry.plan, expiry.freed
    out.line(
        f"{title}: {len(plan.snapshots)} snapshots go, {len(plan.kept)} stay; "
        f"{len(freed.files)} files, {format_bytes(freed.bytes)} go to the trash"
    )
    for name, _ in plan.refs:
        out.line(f"  {name} goes: it is past its own age")


def _group_rows(plan: "CompactionPlan") -> "Iterator[tuple[Cell, ...]]":
    for group in plan.groups:
        yield (
            group.words or "-",
            cells.count(len(group.inputs)),
            cells.size(group.bytes),
            cells.count(len(group.deletes)),
            cells.count(group.outputs),
            group.reason,
        )
