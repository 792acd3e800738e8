"""What is live at the head of a table, as compaction's rules look at it.

Source: Iceberg table specification, "Scan Planning", "Sequence Numbers".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dp_assets.ports.closure import KeptSnapshot, LiveEntry, TableClosure
from dp_assets.ports.live_files import Scope, global_specs, live_files, spec_fields
from dp_assets.ports.recovery import FileKind

VectorId = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Placed:
    """A live entry, and the partition that it is in."""

    entry: LiveEntry
    scope: Scope

    @property
    def identity(self) -> VectorId:
        """Many vectors share a file."""
        return (self.entry.path, self.entry.offset)


@dataclass(frozen=True)
class Head:
    """One snapshot of a table.

    Attributes:
        ancestors: the snapshot and those before it, as far as they are kept.
        specs: ids of the partition specs that the table has.
        global_specs: those without a partition: their equality deletes apply everywhere.
        data: by path, as spelled; delete files name them so.
    """

    uuid: str
    format_version: int
    snapshot_id: int | None
    ancestors: frozenset[int]
    specs: frozenset[int]
    global_specs: frozenset[int]
    data: Mapping[str, Placed]
    deletes: tuple[Placed, ...]


def head_of(closure: TableClosure, snapshot_id: int | None = None) -> Head:
    """The current snapshot of a closure, or another one that it has."""
    wanted = closure.head if snapshot_id is None else snapshot_id
    found = next((s for s in closure.snapshots if s.snapshot_id == wanted), None)
    live = [] if found is None else list(_placed(closure, found))
    return Head(
        uuid=closure.uuid,
        format_version=closure.format_version,
        snapshot_id=wanted,
        ancestors=frozenset(_ancestors(closure.metadata, wanted)),
        specs=frozenset(spec_fields(closure.metadata)),
        global_specs=global_specs(closure.metadata),
        data={p.entry.path: p for p in live if p.entry.kind is FileKind.DATA},
        deletes=tuple(p for p in live if p.entry.kind is not FileKind.DATA),
    )


def _placed(closure: TableClosure, snapshot: KeptSnapshot) -> Iterator[Placed]:
    for file in live_files(closure, snapshot):
        # Some writers put numbers into tables of version 1, where they mean nothing.
        plain = (
            replace(file.entry, sequence_number=0, file_sequence_number=0)
            if closure.format_version == 1
            else file.entry
        )
        yield Placed(plain, file.scope)


def _ancestors(metadata: Mapping[str, Any], snapshot_id: int | None) -> Iterator[int]:
    parents = {
        s["snapshot-id"]: s.get("parent-snapshot-id") for s in metadata.get("snapshots") or ()
    }
    at, seen = snapshot_id, set[int]()
    while at is not None and at in parents and at not in seen:
        seen.add(at)
        yield at
        at = parents[at]
