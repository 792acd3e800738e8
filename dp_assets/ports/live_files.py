"""The live files of a snapshot, and which deletes may apply to which data file.

Bounds of the paths inside a position delete file only narrow the choice; whoever applies deletes
reads the paths themselves.

Source: Iceberg table specification, "Scan Planning", "Sequence Numbers".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dp_assets.ports.closure import KeptSnapshot, LiveEntry, TableClosure, one_spelling
from dp_assets.ports.recovery import FileKind

# Deletes have the scope of a partition: the spec and the values, whatever a writer calls them.
Scope = tuple[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A live entry with what its manifest and the table say of it.

    Attributes:
        is_global: its spec has no partitions: as an equality delete it applies everywhere.
    """

    entry: LiveEntry
    spec_id: int
    manifest_path: str = ""
    is_global: bool = False

    @property
    def place(self) -> tuple[int, str]:
        """Spec and partition as its writer spelled it."""
        return self.spec_id, self.entry.partition

    @property
    def scope(self) -> Scope:
        return scope(self.spec_id, self.entry.partition)

    @property
    def sequence_number(self) -> int:
        """Of the data; a table of version 1 has none, which counts as 0."""
        return self.entry.sequence_number or 0


def live_files(closure: TableClosure, snapshot: KeptSnapshot) -> Iterator[LiveFile]:
    """Everything live in a snapshot, data and deletes, as far as its manifests can be read."""
    everywhere = global_specs(closure.metadata)
    for use in snapshot.manifests:
        if one_spelling(use.path) in closure.manifests:
            spec_id = closure.spec_id(use)
            for entry in closure.entries(use):
                yield LiveFile(entry, spec_id, use.path, spec_id in everywhere)


def scope(spec_id: int, partition: str) -> Scope:
    """Of a file; ``partition`` as :attr:`LiveEntry.partition`."""
    return spec_id, _values(partition)


def spec_fields(metadata: Mapping[str, Any]) -> dict[int, list[Mapping[str, Any]]]:
    """The fields of every partition spec of a table, Iceberg's JSON, by the spec's id."""
    specs: list[Mapping[str, Any]] = metadata.get("partition-specs") or []
    if not specs:  # as version 1 had it
        return {0: metadata.get("partition-spec") or []}
    return {spec["spec-id"]: spec["fields"] for spec in specs}


def global_specs(metadata: Mapping[str, Any]) -> frozenset[int]:
    """The partition specs that have no partitions, or only void ones."""
    return frozenset(
        spec_id
        for spec_id, fields in spec_fields(metadata).items()
        if all(field["transform"] == "void" for field in fields)
    )


def may_apply(delete: LiveFile, data: LiveFile) -> bool:
    """Whether a delete file or vector may delete rows of a data file, by what manifests say."""
    entry, path = delete.entry, data.entry.path
    if entry.kind is FileKind.EQUALITY_DELETES:
        applies = delete.sequence_number > data.sequence_number
        return applies and (delete.is_global or _is_same_scope(delete, data))
    if delete.sequence_number < data.sequence_number or not may_name(entry, path):
        return False
    return bool(entry.referenced) or _is_same_scope(delete, data)


def may_name(delete: LiveEntry, path: str) -> bool:
    """Whether a position delete file may name a data file, by what its manifest says."""
    if delete.referenced:
        return delete.referenced == path
    name = path.encode()
    below = delete.lower is not None and name < delete.lower
    # A bound may be cut: what begins with it may still be below the value that it is cut from.
    above = delete.upper is not None and name[: len(delete.upper)] > delete.upper
    return not (below or above)


def _is_same_scope(delete: LiveFile, data: LiveFile) -> bool:
    return delete.place == data.place or delete.scope == data.scope


@lru_cache(maxsize=4096)
def _values(partition: str) -> tuple[str, ...]:
    """In the order of the spec, which is the same for all writers, as their names are not."""
    values: dict[str, Any] = json.loads(partition) if partition else {}
    return tuple(json.dumps(value) for value in values.values())
