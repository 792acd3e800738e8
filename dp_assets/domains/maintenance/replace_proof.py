"""Whether a compaction's snapshot is its parent with the planned files replaced, and no more."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dp_assets.domains.maintenance.heads import Head, Placed, VectorId
from dp_assets.ports.closure import LiveEntry, TableClosure
from dp_assets.ports.compaction import RewrittenGroup
from dp_assets.ports.live_files import scope

# What a compaction has no business with.
_UNTOUCHED = (
    "table-uuid",
    "format-version",
    "location",
    "schemas",
    "current-schema-id",
    "partition-specs",
    "default-spec-id",
    "sort-orders",
    "default-sort-order-id",
    "properties",
)


def files_difference(
    before: Head,
    after: Head,
    groups: Sequence[RewrittenGroup],
    *,
    sequence_number: int,
    dropped: Collection[VectorId],
) -> str:
    """What is wrong with the live files of ``after``; "" when nothing is.

    Args:
        before: the parent.
        after: the compaction's own snapshot, read back.
        groups: what was committed.
        sequence_number: of the planned snapshot, which the new files keep.
        dropped: delete entries that were taken away on purpose.
    """
    gone = {file.path for one in groups for file in one.group.inputs}
    expected = {path: _plain(p) for path, p in before.data.items() if path not in gone}
    number = sequence_number if after.format_version > 1 else 0
    new = {path: what for one in groups for path, what in _written(one, number)}
    for path, placed in after.data.items():
        was = expected.pop(path, None)
        if was is not None:
            if not _is_same(was, _plain(placed)):
                return f"{path} is listed otherwise than before"
        elif new.pop(path, None) != _said(placed):
            return f"{path} is not what was written for it"
    if lost := [*expected, *new]:
        return f"{min(lost)} is not listed"
    return _deletes_difference(before, after, dropped)


def metadata_difference(before: TableClosure, after: TableClosure, snapshot_id: int) -> str:
    """What a commit changed besides its own snapshot; "" when nothing.

    ``after`` is the metadata file of the commit itself.
    """
    one, other = before.metadata, after.metadata
    for key in _UNTOUCHED:
        if one.get(key) != other.get(key):
            return f"{key} of the metadata changed"
    if _refs(one, before.head) != _refs(other, snapshot_id):
        return "a branch or tag changed"
    kept = {s["snapshot-id"] for s in other.get("snapshots") or ()} - {snapshot_id}
    if kept != {s["snapshot-id"] for s in one.get("snapshots") or ()}:
        return "a snapshot is gone"
    return ""


def parent_difference(after: TableClosure, snapshot_id: int, parent: int | None) -> str:
    """Whether the snapshot follows the one that the commit was made on; "" when it does."""
    found = next((s for s in after.snapshots if s.snapshot_id == snapshot_id), None)
    if found is None:
        return f"snapshot {snapshot_id} is not in the metadata"
    return "" if found.parent_id == parent else f"its parent is {found.parent_id}, not {parent}"


def _deletes_difference(before: Head, after: Head, dropped: Collection[VectorId]) -> str:
    expected = {(p.identity, p.entry.referenced): _plain(p) for p in before.deletes}
    kept = {key: placed for key, placed in expected.items() if key[0] not in dropped}
    found = {(p.identity, p.entry.referenced): _plain(p) for p in after.deletes}
    differing = {key for key in kept.keys() | found.keys() if kept.get(key) != found.get(key)}
    return f"deletes in {min(differing)[0][0]} are not as before" if differing else ""


def _plain(placed: Placed) -> Placed:
    """Its scope says the partition, whatever a writer calls the fields."""
    return replace(placed, entry=replace(placed.entry, added=False, partition=""))


def _is_same(was: Placed, now: Placed) -> bool:
    """A file of an upgraded table may get its row ids now."""
    if was.entry.first_row_id is None:
        was = replace(was, entry=replace(was.entry, first_row_id=now.entry.first_row_id))
    return was == now


def _written(one: RewrittenGroup, number: int) -> Iterator[tuple[str, object]]:
    place = scope(one.group.spec_id, one.group.partition)
    for file in one.written:
        yield file.path, (place, file.size, file.records, number)


def _said(placed: Placed) -> object:
    entry: LiveEntry = placed.entry
    return placed.scope, entry.size, entry.records, entry.sequence_number


def _refs(metadata: Mapping[str, Any], head: int | None) -> dict[str, Any]:
    """Branches and tags with their retention; main without the snapshot that it is at."""
    refs: Mapping[str, Mapping[str, Any]] = metadata.get("refs") or {}
    plain: dict[str, Any] = {name: dict(ref) for name, ref in refs.items()}
    main = plain.setdefault("main", {"snapshot-id": head, "type": "branch"})
    main["snapshot-id"] = main["snapshot-id"] == head
    return plain
