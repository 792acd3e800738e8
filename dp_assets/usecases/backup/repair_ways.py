"""The two ways out for a table whose current snapshot is broken for good, with their costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.recovery.iceberg_forget import VERSIONS
from dp_assets.adapters.recovery.live_rows import Rows, live_rows
from dp_assets.domains.lake.fsck import DELETES, STATISTICS
from dp_assets.domains.lake.repairing import (
    ForgetWay,
    RollBackWay,
    RowCount,
    delete_refusal,
    equality_refusal,
)
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.live_files import live_files, may_apply
from dp_assets.ports.recovery import FileKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dp_assets.domains.lake.fsck import Finding
    from dp_assets.ports.closure import KeptSnapshot, TableClosure
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.live_files import LiveFile


def snapshot_rows(closure: TableClosure, files: LakeFiles, snapshot: KeptSnapshot) -> RowCount:
    """Live rows of a snapshot as far as its manifests are readable."""
    total = sum(live_rows(closure, files, snapshot).values(), start=Rows(0))
    whole = all(one_spelling(use.path) in closure.manifests for use in snapshot.manifests)
    listed = not any(
        one_spelling(b.path) == one_spelling(snapshot.manifest_list) for b in closure.broken
    )
    return RowCount(total.count, total.exact) if whole and listed else RowCount(None)


def roll_back_way(closure: TableClosure, files: LakeFiles, left: Sequence[Finding]) -> RollBackWay:
    """The newest snapshot that the current one stands on and that nothing left breaks."""
    by_id = {snapshot.snapshot_id: snapshot for snapshot in closure.snapshots}
    broken = {s for f in left if f.kind not in STATISTICS for s in f.snapshots}
    at, given_up, seen = by_id.get(closure.head or 0), 0, set[int]()
    while at is not None and at.snapshot_id in broken and at.snapshot_id not in seen:
        seen.add(at.snapshot_id)
        at, given_up = by_id.get(at.parent_id or 0), given_up + 1
    if at is None or at.snapshot_id in broken:
        return RollBackWay(refused="no snapshot before the current one is whole")
    return RollBackWay(
        target=at.snapshot_id,
        at_ms=at.timestamp_ms,
        rows=snapshot_rows(closure, files, at),
        given_up=given_up,
    )


def forget_way(closure: TableClosure, files: LakeFiles, lost: Sequence[Finding]) -> ForgetWay:
    """A snapshot without ``lost``, all of which the current one needs."""
    head = next(s for s in closure.snapshots if s.snapshot_id == closure.head)
    if refused := _refused_by_shape(closure, head, lost):
        return ForgetWay(refused=refused)
    gone = {one_spelling(finding.path) for finding in lost}
    entries = list(live_files(closure, head))
    if refused := _refused_by_deletes(entries, gone):
        return ForgetWay(refused=refused)
    rows = live_rows(closure, files, head)
    going = sum((r for path, r in rows.items() if path in gone), start=Rows(0))
    staying = sum((r for path, r in rows.items() if path not in gone), start=Rows(0))
    return ForgetWay(
        paths=tuple(finding.path for finding in lost),
        lost=RowCount(going.count, going.exact),
        rows=RowCount(staying.count, staying.exact),
    )


def _refused_by_shape(closure: TableClosure, head: KeptSnapshot, lost: Iterable[Finding]) -> str:
    if closure.format_version not in VERSIONS:
        return (
            f"a table of format version {closure.format_version} numbers its rows by manifest; "
            "manifests are rewritten here for versions 1 and 2 only"
        )
    for finding in lost:
        if finding.kind is not FileKind.DATA and finding.kind not in DELETES:
            return f"{finding.kind} {finding.path} is lost: which files it named is not known"
    if not head.manifest_list:
        return "the snapshot names its manifests itself, as version 1 once did"
    if any(use.encrypted for use in head.manifests):
        return "its manifests are encrypted"
    return ""


def _refused_by_deletes(entries: Sequence[LiveFile], gone: set[str]) -> str:
    data = [s for s in entries if s.entry.kind is FileKind.DATA]
    for delete in (s for s in entries if s.entry.kind is not FileKind.DATA):
        is_lost = one_spelling(delete.entry.path) in gone
        by_value = delete.entry.kind is FileKind.EQUALITY_DELETES
        for one in (one for one in data if may_apply(delete, one)):
            if one_spelling(one.entry.path) in gone:
                if by_value:
                    return equality_refusal(one.entry.path, delete.entry.path)
            elif is_lost:
                return delete_refusal(delete.entry.path, one.entry.path)
    return ""
