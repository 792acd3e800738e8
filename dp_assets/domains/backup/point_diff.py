"""What changed between two recovery points, table by table."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dp_assets.ports.recovery import PointManifest, PointTable


class Change(StrEnum):
    """What became of a table."""

    ADDED = "added"
    REMOVED = "removed"
    REPLACED = "replaced"  # dropped and made again: another uuid
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class TableChange:
    """One table that differs; the differences are later minus earlier, None where unknown."""

    table: str
    change: Change
    rows: int | None
    bytes: int
    files: int
    snapshots: int


def diff_points(earlier: PointManifest, later: PointManifest) -> tuple[TableChange, ...]:
    """The tables that are not the same in both, by name."""
    before = {line.table: line for line in earlier.tables}
    after = {line.table: line for line in later.tables}
    return tuple(_changes(before, after))


def _changes(before: dict[str, PointTable], after: dict[str, PointTable]) -> Iterator[TableChange]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            yield _change(name, Change.ADDED if old is None else Change.REMOVED, old, new)
        elif old.uuid != new.uuid and old.uuid and new.uuid:
            yield _change(name, Change.REPLACED, old, new)
        elif (old.pointer, old.problem, old.snapshots) != (new.pointer, new.problem, new.snapshots):
            yield _change(name, Change.CHANGED, old, new)


def _change(
    name: str, change: Change, old: PointTable | None, new: PointTable | None
) -> TableChange:
    before, after = old.rows if old else 0, new.rows if new else 0
    return TableChange(
        table=name,
        change=change,
        rows=None if before is None or after is None else after - before,
        bytes=(new.bytes if new else 0) - (old.bytes if old else 0),
        files=(new.files if new else 0) - (old.files if old else 0),
        snapshots=(new.snapshots if new else 0) - (old.snapshots if old else 0),
    )
