"""The files that a table no longer needs once some of its snapshots are gone. Pure."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.domains.maintenance.expiry import STATISTICS, ExpiryPlan
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.maintenance_trash import TrashedFile
from dp_assets.ports.recovery import FileKind

Json = Mapping[str, Any]
Key = Callable[[str], str]
LOCATIONS = (
    "write.data.path",
    "write.metadata.path",
    "write.folder-storage.path",
    "write.object-storage.path",
)


@dataclass(frozen=True, slots=True)
class Freed:
    """Files that only snapshots which go have needed.

    Attributes:
        files: to be deleted once the trash's window closes.
        elsewhere: outside of the table's own folders, or inside another table's: imported from
            somewhere, perhaps needed there. They stay for ever.
    """

    files: tuple[TrashedFile, ...]
    elsewhere: tuple[TrashedFile, ...]

    @property
    def bytes(self) -> int:
        """Of the files whose size is known."""
        return sum(file.size or 0 for file in self.files)


def freed_files(
    closure: TableClosure, plan: ExpiryPlan, *, other_roots: Collection[str], key: Key
) -> Freed:
    """What ``plan`` frees of the table.

    Metadata files are never among it: the log names them, and the one before an expiry is what
    it can be undone with.

    Args:
        closure: the table before, with all of its snapshots.
        plan: what goes of it.
        other_roots: keys of the folders of every other table.
        key: the one name of a file that may be spelled in several ways.
    """
    needed = set(_needed(closure, set(plan.snapshots), key))
    own, others = root_keys(closure.metadata, key), frozenset(other_roots)
    inside: list[TrashedFile] = []
    outside: list[TrashedFile] = []
    for file in closure.files:
        name = key(file.path)
        if file.kind is FileKind.METADATA or name in needed:
            continue
        found = inside if _nearest(name, own) > _nearest(name, others) else outside
        found.append(TrashedFile(file.path, file.kind, file.size))
    return Freed(tuple(inside), tuple(outside))


def named_by(closure: TableClosure, key: Key) -> Iterator[str]:
    """The key of everything that a table names: of all snapshots, the log and statistics."""
    for file in closure.files:
        yield key(file.path)
    yield from map(key, _beside_snapshots(closure.metadata, set()))


def root_keys(metadata: Json, key: Key) -> frozenset[str]:
    """The keys of the folders that the table writes to."""
    properties: Mapping[str, str] = metadata.get("properties") or {}
    roots: tuple[str | None, ...] = (metadata.get("location"), *map(properties.get, LOCATIONS))
    return frozenset(key(root.rstrip("/")) for root in roots if root)


def _needed(closure: TableClosure, gone: set[int], key: Key) -> Iterator[str]:
    """The keys of what the snapshots that stay need, and of what no snapshot is asked for."""
    yield from map(key, _beside_snapshots(closure.metadata, gone))
    manifests: set[str] = set()
    for snapshot in closure.snapshots:
        if snapshot.snapshot_id not in gone:
            if snapshot.manifest_list:
                yield key(snapshot.manifest_list)
            manifests.update(key(use.path) for use in snapshot.manifests)
    yield from manifests
    for manifest in closure.manifests.values():
        if key(manifest.path) in manifests:
            yield from (key(entry.path) for entry in manifest.entries)


def _beside_snapshots(metadata: Json, gone: set[int]) -> Iterator[str]:
    """Older metadata files, and statistics of snapshots that are not ``gone``."""
    for entry in metadata.get("metadata-log") or ():
        yield entry["metadata-file"]
    for name in STATISTICS:
        for one in metadata.get(name) or ():
            if one["snapshot-id"] not in gone:
                yield one["statistics-path"]


def _nearest(name: str, roots: frozenset[str]) -> int:
    """How long the longest of ``roots`` is that the file is below; 0 for none."""
    folder = name.rpartition("/")[0]
    while folder and folder not in roots:
        folder = folder.rpartition("/")[0]
    return len(folder)
