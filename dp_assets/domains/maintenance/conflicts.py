"""Which groups of a compaction may still be committed on top of a head, and why not the others.

Appends never conflict. Newer equality deletes do not either: the new files keep the sequence
number of the planned snapshot, so those still apply to them. A delete by position names a file
that is to go, and would be lost with it.

Asked anew on every attempt, and against the planned snapshot, never the head that a failed attempt
saw: a delete that landed before that head would be filtered out by its number, and its row be back.

Source: Iceberg table specification, "Scan Planning"; apache/iceberg's BaseRewriteFiles.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from dp_assets.core.errors import PermanentError
from dp_assets.domains.maintenance.heads import Head, Placed
from dp_assets.ports.closure import LiveEntry
from dp_assets.ports.compaction import CompactionPlan, Group, InputFile, RewrittenGroup
from dp_assets.ports.live_files import may_name, scope
from dp_assets.ports.recovery import FileKind

# The data files that a position delete file names inside; raises PermanentError.
Named = Callable[[LiveEntry], Collection[str]]


@dataclass(frozen=True, slots=True)
class DroppedGroup:
    """A group that was not committed, and why.

    Attributes:
        is_conflict: somebody else changed its files; else it is about the whole table.
    """

    rewritten: RewrittenGroup
    reason: str
    is_conflict: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Every group is in one of the two."""

    groups: tuple[RewrittenGroup, ...]
    dropped: tuple[DroppedGroup, ...]


def judge(
    plan: CompactionPlan, rewritten: Sequence[RewrittenGroup], head: Head, *, named: Named
) -> Verdict:
    """Split ``rewritten`` into what may be committed on top of ``head`` and what may not.

    Args:
        plan: what the groups were planned by.
        rewritten: some of its groups.
        head: of the table now.
        named: reads a position delete file; bounds in manifests are only a filter.
    """
    whole, taken = refusal(plan, head), set[str]()
    groups: list[RewrittenGroup] = []
    dropped: list[DroppedGroup] = []
    for one in rewritten:
        paths = {file.path for file in one.group.inputs}
        reason = whole or ("a file is in two groups" if paths & taken else "")
        reason = reason or conflict(plan, one.group, head, named=named)
        if reason:
            dropped.append(DroppedGroup(one, reason, is_conflict=not whole))
            continue
        taken |= paths
        groups.append(one)
    return Verdict(tuple(groups), tuple(dropped))


def refusal(plan: CompactionPlan, head: Head) -> str:
    """Why nothing of the plan may be committed; "" when something may."""
    if head.uuid != plan.uuid:
        return "the table was dropped and made anew: plan again"
    if head.format_version != plan.format_version:
        return f"the table is of format version {head.format_version} now: plan again"
    if plan.snapshot_id not in head.ancestors:
        return "the planned snapshot is no ancestor any more (rollback or expiry): plan again"
    return ""


def conflict(plan: CompactionPlan, group: Group, head: Head, *, named: Named) -> str:
    """Why a group may not be committed; "" when it may."""
    if group.spec_id not in head.specs:
        return f"partition spec {group.spec_id} was removed"
    for file in group.inputs:
        if reason := _changed(file, group, head):
            return reason
    paths = {file.path for file in group.inputs}
    if _vectors(group, paths) != _vectors_now(head, paths):
        return "rows of a replaced file were deleted since (deletion vector)"
    if head.format_version == 1:
        return ""
    try:
        hit = any(_names(d, paths, named) for d in _newer(head, plan.sequence_number))
    except PermanentError as error:
        return f"a newer delete file cannot be read: {error.what}"
    return "rows of a replaced file were deleted since (position delete)" if hit else ""


def _changed(file: InputFile, group: Group, head: Head) -> str:
    now = head.data.get(file.path)
    if now is None:
        return f"replaced file is gone: {file.path}"
    entry = now.entry
    numbers = (entry.sequence_number, entry.file_sequence_number)
    planned = (file.sequence_number, file.file_sequence_number)
    if head.format_version > 1 and numbers != planned:
        return f"replaced file was removed and added again: {file.path}"
    if now.scope != scope(group.spec_id, group.partition):
        return f"replaced file is in another partition: {file.path}"
    if entry.first_row_id != file.first_row_id:
        return f"rows of a replaced file have other ids now: {file.path}"
    return ""


def _vectors(group: Group, paths: Collection[str]) -> set[tuple[str, str, int, int | None]]:
    return {
        (d.referenced, d.path, d.offset, d.sequence_number)
        for d in group.deletes
        if d.kind is FileKind.DELETION_VECTORS and d.referenced in paths
    }


def _vectors_now(head: Head, paths: Collection[str]) -> set[tuple[str, str, int, int | None]]:
    return {
        (d.entry.referenced, d.entry.path, d.entry.offset, d.entry.sequence_number)
        for d in head.deletes
        if d.entry.kind is FileKind.DELETION_VECTORS and d.entry.referenced in paths
    }


def _newer(head: Head, planned: int) -> list[Placed]:
    return [
        d
        for d in head.deletes
        if d.entry.kind is FileKind.POSITION_DELETES and (d.entry.sequence_number or 0) > planned
    ]


def _names(delete: Placed, paths: Collection[str], named: Named) -> bool:
    if not any(may_name(delete.entry, path) for path in paths):
        return False
    return any(path in paths for path in named(delete.entry))
