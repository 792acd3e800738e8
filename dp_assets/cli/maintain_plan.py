"""What `dp maintain` is about to do, for people and for programs."""

from typing import TYPE_CHECKING

from dp_assets.cli import cells
from dp_assets.cli.maintain_orphans import orphans_document, show_orphans
from dp_assets.cli.output import Cell, Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dp_assets.domains.maintenance.freed import Freed
    from dp_assets.domains.maintenance.manifest_plan import ManifestPlan
    from dp_assets.ports.compaction import CompactionPlan
    from dp_assets.usecases.maintenance.expiry_planning import PlannedExpiry
    from dp_assets.usecases.maintenance.maintaining import Planned

COLUMNS = ("partition", "files", "bytes", "deletes", "new files", "why")
MANIFEST_COLUMNS = ("of", "manifests", "bytes", "new manifests", "why")


def show_plan(out: Output, planned: "Planned") -> None:
    """What the operation would do, in words and a table; nothing in JSON."""
    from dp_assets.usecases.maintenance.compaction_work import CompactionWork
    from dp_assets.usecases.maintenance.expiry_work import ExpiryWork
    from dp_assets.usecases.maintenance.manifests_work import ManifestsWork
    from dp_assets.usecases.maintenance.orphans_work import OrphansWork

    if out.json:
        return
    title = f"{planned.operation} of {planned.table}"
    if planned.refused:
        out.line(f"{title} is refused: {planned.refused}")
    elif not planned.has_work:
        out.line(f"{title}: nothing to do")
    match planned.work:
        case CompactionWork(work):
            _show_compaction(out, title, work.plan)
        case ExpiryWork(work) if planned.has_work:
            _show_expiry(out, title, work)
        case OrphansWork(found) if planned.has_work:
            show_orphans(out, title, found)
        case ManifestsWork(work) if planned.has_work:
            _show_manifests(out, title, work)
        case _:
            pass


def plan_document(planned: "Planned") -> dict[str, object]:
    """The plan as JSON: what is read, replaced and let go, file by file."""
    from dp_assets.usecases.maintenance.compaction_work import CompactionWork
    from dp_assets.usecases.maintenance.expiry_work import ExpiryWork
    from dp_assets.usecases.maintenance.manifests_work import ManifestsWork
    from dp_assets.usecases.maintenance.orphans_work import OrphansWork

    about: dict[str, object] = {"pointer": planned.pointer}
    if planned.refused:
        return {**about, "refused": planned.refused}
    match planned.work:
        case CompactionWork(work):
            return {**about, **_compaction_document(work.plan)}
        case ExpiryWork(work):
            return {**about, **_expiry_document(work)}
        case OrphansWork(found):
            return {**about, **orphans_document(found)}
        case ManifestsWork(work):
            return {**about, **_manifests_document(work)}
        case _:
            return about


def _show_compaction(out: Output, title: str, plan: "CompactionPlan") -> None:
    if plan.groups:
        out.table(title, COLUMNS, _group_rows(plan))
    for reason in plan.left:
        out.line(f"  left: {reason}")


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


def _compaction_document(plan: "CompactionPlan") -> dict[str, object]:
    groups = [
        {
            "partition": group.words,
            "inputs": [file.path for file in group.inputs],
            "bytes": group.bytes,
            "new_files": group.outputs,
            "reason": group.reason,
        }
        for group in plan.groups
    ]
    return {"groups": groups, "left": list(plan.left)}


def _show_expiry(out: Output, title: str, expiry: "PlannedExpiry") -> None:
    plan, freed = expiry.plan, expiry.freed
    out.line(
        f"{title}: {len(plan.snapshots)} snapshots go, {len(plan.kept)} stay; "
        f"{len(freed.files)} files{_freed_size(freed)} go to the trash"
    )
    for name, _ in plan.refs:
        out.line(f"  {name} goes: it is past its own age")


def _freed_size(freed: "Freed") -> str:
    """Nothing says how large a manifest list is; what holds one of them is larger than its sum."""
    from dp_assets.core.units import format_bytes

    if not freed.bytes:
        return ""
    known = all(file.size is not None for file in freed.files)
    return f", {'' if known else 'more than '}{format_bytes(freed.bytes)}"


def _expiry_document(expiry: "PlannedExpiry") -> dict[str, object]:
    return {
        "snapshots": list(expiry.plan.snapshots),
        "refs": [name for name, _ in expiry.plan.refs],
        "freed": [file.path for file in expiry.freed.files],
        "freed_bytes": expiry.freed.bytes,
    }


def _show_manifests(out: Output, title: str, plan: "ManifestPlan") -> None:
    out.line(f"{title}: {plan.manifests} manifests become about {plan.expected}")
    if plan.piles:
        rows = [
            (
                f"{'deletes' if pile.is_deletes else 'data'}, spec {pile.spec_id}",
                cells.count(len(pile.manifests)),
                cells.size(pile.bytes),
                cells.count(pile.outputs),
                pile.reason,
            )
            for pile in plan.piles
        ]
        out.table(title, MANIFEST_COLUMNS, rows)
    if plan.empty:
        out.line(f"  {len(plan.empty)} without a live file go")


def _manifests_document(plan: "ManifestPlan") -> dict[str, object]:
    piles = [
        {
            "spec_id": pile.spec_id,
            "deletes": pile.is_deletes,
            "manifests": list(pile.manifests),
            "bytes": pile.bytes,
            "new_manifests": pile.outputs,
            "reason": pile.reason,
        }
        for pile in plan.piles
    ]
    expected = {"manifests": plan.manifests, "expected": plan.expected}
    return {**expected, "piles": piles, "empty": list(plan.empty)}
