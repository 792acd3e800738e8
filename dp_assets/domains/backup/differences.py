"""What a restored copy is not as its recovery point recorded it, without any row being read.

It covers every snapshot: files by hash, how they are put together, metadata, paths.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dp_assets.domains.backup.path_map import PATH_PROPERTIES
from dp_assets.ports.closure import TableClosure
from dp_assets.ports.recovery import FileKind, SnapshotFacts, TableContent

SHOWN = 5
# What a move changes in table metadata, or what is compared by itself.
_NOT_COMPARED = frozenset(
    ("location", "metadata-log", "table-uuid", "refs", "current-snapshot-id", "snapshots")
)
_STATISTICS = ("statistics", "partition-statistics")
_RECORDED = (
    ("parent_id", "parent"),
    ("sequence_number", "sequence number"),
    ("timestamp_ms", "time"),
    ("schema_id", "schema"),
    ("data_files", "number of data files"),
    ("delete_files", "number of delete files"),
)


@dataclass(frozen=True, slots=True)
class RestoredTable:
    """A restored copy, looked at again from its metadata file on.

    Attributes:
        facts: computed from the copy alone, by the same rules as those of the point.
        bad_files: path in the point -> what is wrong with its copy.
        uuid: that the copy was to get.
        problem: why the copy could not be looked at to the end; "" when it could.
    """

    closure: TableClosure
    facts: tuple[SnapshotFacts, ...]
    bad_files: Mapping[str, str]
    uuid: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ComparedTable:
    """A copy, and what is not as recorded as far as can be seen without reading rows."""

    content: TableContent
    closure: TableClosure
    bad_files: int
    differences: tuple[str, ...]


def fact_differences(
    content: TableContent, original: Mapping[str, Any], restored: RestoredTable
) -> tuple[str, ...]:
    """What differs without any row being read; it covers every snapshot of the point."""
    return (
        *some(f"{path}: {said}" for path, said in restored.bad_files.items()),
        *(f"{b.kind} {b.path}: {b.problem}" for b in restored.closure.broken[:SHOWN]),
        *((restored.problem,) if restored.problem else ()),
        *_metadata_differs(content, original, restored),
        *some(_snapshots_differ(content, restored)),
    )


def _metadata_differs(
    content: TableContent, original: Mapping[str, Any], restored: RestoredTable
) -> Iterator[str]:
    closure = restored.closure
    if closure.uuid != restored.uuid:
        yield f"its uuid is {closure.uuid}, it was to be {restored.uuid}"
    if closure.head != content.head:
        yield f"its head is snapshot {closure.head}, recorded was {content.head}"
    yield from _refs_differ(content.refs, closure.refs)
    before, now = _compared(original), _compared(closure.metadata)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            yield f"{key} is not as recorded in its metadata"


def _refs_differ(recorded: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(recorded.keys() | found.keys()):
        kind = (recorded.get(name) or found[name]).get("type", "ref")
        if name not in found:
            yield f"{kind} {name} is missing"
        elif name not in recorded:
            yield f"{kind} {name} is not in the point"
        elif recorded[name] != found[name]:
            yield f"{kind} {name} is not as recorded"


def _compared(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Table metadata without what a move changes."""
    kept = {k: v for k, v in metadata.items() if k not in _NOT_COMPARED}
    properties: Mapping[str, str] = metadata.get("properties") or {}
    kept["properties"] = {k: v for k, v in properties.items() if k not in PATH_PROPERTIES}
    for key in _STATISTICS:
        kept[key] = [_without(one, "statistics-path") for one in metadata.get(key) or ()]
    kept["snapshots"] = [
        _without(one, "manifest-list", "manifests") for one in metadata.get("snapshots") or ()
    ]
    return kept


def _without(one: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {k: v for k, v in one.items() if k not in names}


def _snapshots_differ(content: TableContent, restored: RestoredTable) -> Iterator[str]:
    recorded = {fact.snapshot_id: fact for fact in content.snapshots}
    there = {snapshot.snapshot_id for snapshot in restored.closure.snapshots}
    yield from (f"snapshot {s} is missing" for s in recorded if s not in there)
    yield from (f"snapshot {s} is not in the point" for s in there if s not in recorded)
    for fact in restored.facts:
        if before := recorded.get(fact.snapshot_id):
            yield from _fact_differs(before, fact)


def _fact_differs(before: SnapshotFacts, now: SnapshotFacts) -> Iterator[str]:
    about = f"snapshot {now.snapshot_id}"
    for name, words in _RECORDED:
        if (was := getattr(before, name)) != (found := getattr(now, name)):
            yield f"{about}: {words} is {found}, recorded was {was}"
    if before.data_digest != now.data_digest:
        yield f"{about}: its data files are not as recorded (content, sequence number or partition)"
    if before.delete_digest != now.delete_digest:
        yield f"{about}: its deleted rows are not as recorded (delete files or deleted positions)"
    if before.rows_by == now.rows_by and before.rows != now.rows:
        yield f"{about}: {now.rows} rows by {now.rows_by}, recorded were {before.rows}"


def outside_differences(closure: TableClosure, root: str) -> tuple[str, ...]:
    """Paths in the restored metadata that do not lead to files below ``root``.

    Leaving one unchanged is silent: deleted rows come back, in the engine that looks there.
    """
    return tuple(some(_outside(closure, root.rstrip("/") + "/")))


def _outside(closure: TableClosure, root: str) -> Iterator[str]:
    for file in closure.files:
        if not file.path.startswith(root):
            yield f"{file.kind} {file.path} is named outside of the copy"
    for manifest in closure.manifests.values():
        for entry in manifest.entries:
            if entry.kind in (FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS):
                named = {
                    "referenced data file": entry.referenced,
                    "lower bound": (entry.lower or b"").decode(errors="replace"),
                    "upper bound": (entry.upper or b"").decode(errors="replace"),
                }
                for what, path in named.items():
                    if path and not path.startswith(root):
                        yield f"{what} {path} of {entry.path} is named outside of the copy"


def some(found: Iterable[str]) -> Iterator[str]:
    """The first few texts, and how many more."""
    texts = list(dict.fromkeys(found))
    yield from texts[:SHOWN]
    if len(texts) > SHOWN:
        yield f"and {len(texts) - SHOWN} more"
