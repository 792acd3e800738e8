"""Everything that a table consists of, as its metadata names it.

Paths are as the table spells them; whether two spellings are one file is ``one_spelling``'s to
say. What a manifest leaves to its manifest list (sequence numbers, row ids) is
:meth:`TableClosure.entries`' to fill in.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from dp_assets.ports.recovery import FileKind, History, ReachableFile

_LOCAL = re.compile(r"file:/*")
_S3 = re.compile(r"s3[an]://")


def one_spelling(location: str) -> str:
    """The one name of a file that may be spelled in several ways.

    ``file:/x``, ``file:///x`` and ``/x`` are one local file; s3a and s3n are s3.
    """
    if found := _LOCAL.match(location):
        return "/" + location[found.end() :]
    return _S3.sub("s3://", location, count=1)


@dataclass(frozen=True, slots=True)
class LiveEntry:
    """A live entry of a manifest.

    Attributes:
        added: the commit that wrote the manifest added the file.
        partition: as :attr:`ReachableFile.partition`.
        sequence_number: of the data; None where the manifest list says it.
        file_sequence_number: of the commit that added the file; None as above, or nobody says it.
        first_row_id: version 3; None where the manifest list says it, or there is none.
        equality_ids: field ids that an equality delete compares.
        referenced: the one data file that all deletes are about; "" where not said.
        lower, upper: bounds of the paths in position deletes; engines look by them.
        offset, length: of a deletion vector inside its file.
        encrypted: there is key metadata.
    """

    path: str
    kind: FileKind
    format: str
    size: int
    records: int
    partition: str
    added: bool
    snapshot_id: int | None = None
    sequence_number: int | None = None
    first_row_id: int | None = None
    equality_ids: tuple[int, ...] = ()
    referenced: str = ""
    lower: bytes | None = None
    upper: bytes | None = None
    offset: int = 0
    length: int = 0
    encrypted: bool = False
    file_sequence_number: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as read, whatever list names it; deleted entries are left out.

    Attributes:
        shape: the same for manifests that can become one, as far as their Avro types tell.
    """

    path: str
    spec_id: int
    entries: tuple[LiveEntry, ...]
    shape: str = ""


@dataclass(frozen=True, slots=True)
class ManifestUse:
    """A manifest as one or more snapshots list it.

    Attributes:
        size: bytes; None in a version 1 snapshot that names its manifests itself.
        spec_id: None there as well.
        first_row_id: where the row ids of its files begin; None before version 3.
    """

    path: str
    size: int | None
    spec_id: int | None
    sequence_number: int
    snapshot_id: int
    first_row_id: int | None = None
    encrypted: bool = False


@dataclass(frozen=True, slots=True)
class KeptSnapshot:
    """A snapshot that the history setting keeps; ``manifest_list`` is "" where it has none."""

    snapshot_id: int
    parent_id: int | None
    sequence_number: int
    timestamp_ms: int
    schema_id: int | None
    manifest_list: str
    manifests: tuple[ManifestUse, ...]


@dataclass(frozen=True, slots=True)
class BrokenFile:
    """A list or manifest that cannot be read, and the snapshots that are lost with it."""

    path: str
    kind: FileKind
    snapshots: tuple[int, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class ParsedFiles:
    """Lists and manifests read before, by ``one_spelling`` of their path.

    Neither ever changes, so whoever keeps this between readings reads only what is new. That
    such a file is still there must then be seen otherwise.

    Attributes:
        uses: lines of lists by what they say: the same line of a thousand lists is one object.
    """

    lists: MutableMapping[str, tuple[ManifestUse, ...]] = field(
        default_factory=dict[str, tuple[ManifestUse, ...]]
    )
    manifests: MutableMapping[str, Manifest] = field(default_factory=dict[str, Manifest])
    uses: MutableMapping[tuple[Any, ...], ManifestUse] = field(
        default_factory=dict[tuple[Any, ...], ManifestUse]
    )


@dataclass(frozen=True)
class TableClosure:
    """A table: every snapshot that is kept and every file that those need.

    Attributes:
        metadata: the JSON of the file at ``pointer``, unknown fields included.
        snapshots: exactly those kept, in the order of the metadata: all of them; those that a
            branch, a tag or the current state points at; or the current one alone.
        manifests: by ``one_spelling`` of their path.
        files: each once, sorted by path; ``pointer`` among them.
        broken: what could not be read; empty unless that was tolerated.
    """

    pointer: str
    history: History
    metadata: Mapping[str, Any]
    head: int | None
    snapshots: tuple[KeptSnapshot, ...]
    manifests: Mapping[str, Manifest]
    files: tuple[ReachableFile, ...]
    broken: tuple[BrokenFile, ...] = ()

    @property
    def uuid(self) -> str:
        return self.metadata.get("table-uuid") or ""

    @property
    def location(self) -> str:
        return self.metadata.get("location") or ""

    @property
    def format_version(self) -> int:
        return self.metadata["format-version"]

    @property
    def schema(self) -> Mapping[str, Any]:
        """The current schema, Iceberg's JSON."""
        current = self.metadata.get("current-schema-id")
        only: Mapping[str, Any] = self.metadata.get("schema") or {}  # as version 1 had it
        schemas: Iterable[Mapping[str, Any]] = self.metadata.get("schemas") or ()
        return next((s for s in schemas if s.get("schema-id") == current), only)

    @property
    def refs(self) -> dict[str, Any]:
        """Branches and tags whose snapshot is kept, Iceberg's JSON."""
        kept = {snapshot.snapshot_id for snapshot in self.snapshots}
        refs: Mapping[str, Any] = self.metadata.get("refs") or {}
        return {name: ref for name, ref in refs.items() if ref["snapshot-id"] in kept}

    def entries(self, use: ManifestUse) -> Iterator[LiveEntry]:
        """The live entries of a manifest, everything inherited filled in.

        Source: Iceberg table specification, "Sequence Number Inheritance" and "First Row ID
        Inheritance".
        """
        manifest = self.manifests.get(one_spelling(use.path))
        return iter(()) if manifest is None else inherited(manifest, use)

    def spec_id(self, use: ManifestUse) -> int:
        """The partition spec of a manifest's files."""
        if use.spec_id is not None:
            return use.spec_id
        return self.manifests[one_spelling(use.path)].spec_id

    def snapshots_of(self, path: str) -> tuple[int, ...]:
        """The kept snapshots that need the file, in the order of the metadata.

        A statistics file is needed by no reader, yet counted for its snapshot.
        """
        needing = self._needing(one_spelling(path))
        return tuple(s.snapshot_id for s in self.snapshots if s.snapshot_id in needing)

    def _needing(self, path: str) -> set[int]:
        if path == one_spelling(self.pointer):
            return {snapshot.snapshot_id for snapshot in self.snapshots}
        return {
            snapshot_id
            for manifest in (path, *self._manifests_of.get(path, ()))
            for snapshot_id in self._snapshots_of.get(manifest, ())
        }

    @cached_property
    def _snapshots_of(self) -> Mapping[str, set[int]]:
        """Snapshots by what they name directly: lists, manifests, statistics."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for snapshot in self.snapshots:
            for path in (snapshot.manifest_list, *(use.path for use in snapshot.manifests)):
                found[one_spelling(path)].add(snapshot.snapshot_id)
        for kind in ("statistics", "partition-statistics"):
            for statistics in self.metadata.get(kind) or ():
                path = one_spelling(statistics["statistics-path"])
                found[path].add(statistics["snapshot-id"])
        return found

    @cached_property
    def _manifests_of(self) -> Mapping[str, set[str]]:
        """Manifests by the files in them; made when first asked for, in time linear in files."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for key, manifest in self.manifests.items():
            for entry in manifest.entries:
                found[one_spelling(entry.path)].add(key)
        return found


def inherited_number(entry: LiveEntry, use: ManifestUse) -> int | None:
    """The sequence number of an entry's data; see :func:`inherited`."""
    if entry.sequence_number is None and (entry.added or use.sequence_number == 0):
        return use.sequence_number
    return entry.sequence_number


def inherited(manifest: Manifest, use: ManifestUse) -> Iterator[LiveEntry]:
    """The live entries of ``manifest`` with what its list says of it.

    An added file takes the manifest's sequence number and snapshot. In a manifest of version 1
    (number 0) that holds for the others, too.
    """
    next_row_id = use.first_row_id
    for entry in manifest.entries:
        changes: dict[str, Any] = {}
        if entry.snapshot_id is None:
            changes["snapshot_id"] = use.snapshot_id
        if entry.added or use.sequence_number == 0:
            for name in ("sequence_number", "file_sequence_number"):
                if getattr(entry, name) is None:
                    changes[name] = use.sequence_number
        if entry.kind is FileKind.DATA and entry.first_row_id is None and next_row_id is not None:
            changes["first_row_id"] = next_row_id
            next_row_id += entry.records
        yield replace(entry, **changes) if changes else entry
