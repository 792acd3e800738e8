"""Everything reachable from a table's metadata file, each list and manifest read at most once.

A file counts when a manifest of a kept snapshot lists it with a status other than deleted,
whichever snapshot added it: after expiry the one that did is often gone (apache/iceberg#14458).
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.adapters.recovery.delete_positions import READERS
from dp_assets.adapters.recovery.iceberg_manifests import read_list, read_manifest
from dp_assets.adapters.recovery.iceberg_metadata import Json, head_id, parse_metadata
from dp_assets.adapters.recovery.iceberg_reachable import distinct_uses, reachable_files
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import (
    BrokenFile,
    KeptSnapshot,
    Manifest,
    ManifestUse,
    ParsedFiles,
    TableClosure,
    one_spelling,
)
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.ports.recovery import FileKind, History

R = TypeVar("R")
_NAMED_SNAPSHOTS = 5
_MOVABLE_VERSIONS = (1, 2, 3)


def read_closure(
    files: LakeFiles,
    pointer: str,
    *,
    history: History,
    known: ParsedFiles | None = None,
    tolerant: bool = False,
) -> TableClosure:
    """The table that the metadata file at ``pointer`` describes.

    Args:
        files: where its files are.
        pointer: location of the metadata file, as the catalog spells it.
        history: ``all`` keeps every snapshot in the metadata, ``refs`` those that a branch, a
            tag or the current state points at, ``current`` the current one alone.
        known: lists and manifests read before; those read now are added.
        tolerant: note what cannot be read, and go on without it.

    Raises:
        MissingObjectError: the metadata file, a list or a manifest is gone, and what it breaks.
        PermanentError: one of them is damaged or encrypted.
        TransientError: the store did not answer.
    """
    metadata = _metadata(files, pointer)
    reading = _Reading(files, known or ParsedFiles(), tolerant)
    kept = _kept(metadata, history=history, location=pointer)
    snapshots = reading.snapshots(kept)
    manifests = reading.manifests(snapshots)
    return TableClosure(
        pointer=pointer,
        history=history,
        metadata=metadata,
        head=head_id(metadata),
        snapshots=snapshots,
        manifests=manifests,
        files=reachable_files(pointer, metadata, snapshots=snapshots, manifests=manifests),
        broken=tuple(reading.broken),
    )


def immovable(closure: TableClosure) -> str:
    """Why the table can be restored to its own paths only; "" when it can be moved."""
    if closure.format_version not in _MOVABLE_VERSIONS:
        return f"where format version {closure.format_version} keeps paths is not known"
    metadata = closure.metadata
    if metadata.get("encryption-keys") or "encryption.key-id" in (metadata.get("properties") or {}):
        return "it is encrypted"
    for use in (use for snapshot in closure.snapshots for use in snapshot.manifests):
        if use.encrypted:
            return f"manifest {use.path} is encrypted"
    for manifest in closure.manifests.values():
        for entry in manifest.entries:
            if entry.encrypted:
                return f"{entry.kind} {entry.path} is encrypted"
            if entry.kind is FileKind.POSITION_DELETES and entry.format not in READERS:
                return f"position deletes in {entry.format} cannot be rewritten"
    return ""


def _metadata(files: LakeFiles, pointer: str) -> Json:
    try:
        content = files.read(pointer)
    except MissingObjectError as error:
        raise MissingObjectError(
            f"metadata file {pointer} is gone; it breaks the whole table", hint=error.hint
        ) from error
    return parse_metadata(content, location=pointer)


def _kept(metadata: Json, *, history: History, location: str) -> list[Json]:
    """The snapshots to keep, in the order of the metadata."""
    snapshots: list[Json] = list(metadata.get("snapshots") or ())
    head = head_id(metadata)
    refs: Mapping[str, Json] = metadata.get("refs") or {}
    wanted = {head, *(ref["snapshot-id"] for ref in refs.values())} - {None}
    lost = wanted - {snapshot["snapshot-id"] for snapshot in snapshots}
    if lost:
        raise damaged(location, f"it has no snapshot {', '.join(map(str, sorted(lost)))}")
    if history is History.ALL:
        return snapshots
    chosen = wanted if history is History.REFS else {head}
    return [snapshot for snapshot in snapshots if snapshot["snapshot-id"] in chosen]


@dataclass(slots=True)
class _Reading:
    """Reads lists and manifests; says what breaks with one that cannot be read."""

    files: LakeFiles
    known: ParsedFiles
    tolerant: bool
    broken: list[BrokenFile] = field(default_factory=list[BrokenFile])

    def snapshots(self, kept: list[Json]) -> tuple[KeptSnapshot, ...]:
        users: defaultdict[str, list[int]] = defaultdict(list)
        for snapshot in kept:
            users[snapshot.get("manifest-list", "")].append(snapshot["snapshot-id"])
        return tuple(_snapshot(one, self._uses(one, users)) for one in kept)

    def _uses(self, snapshot: Json, users: Mapping[str, list[int]]) -> tuple[ManifestUse, ...]:
        snapshot_id, path = snapshot["snapshot-id"], snapshot.get("manifest-list", "")
        if not path:  # version 1 may name the manifests themselves
            named: list[str] = snapshot.get("manifests") or []
            return tuple(ManifestUse(p, None, None, 0, snapshot_id) for p in named)
        lists, key = self.known.lists, one_spelling(path)
        if key not in lists:
            found = self._read(
                path,
                FileKind.MANIFEST_LIST,
                lambda: users[path],
                lambda content: read_list(
                    content, name=path, snapshot_id=snapshot_id, known=self.known.uses
                ),
            )
            if found is None:
                return ()
            lists[key] = found
        return lists[key]

    def manifests(self, snapshots: tuple[KeptSnapshot, ...]) -> dict[str, Manifest]:
        paths: dict[str, str] = {}
        for use in distinct_uses(snapshots):
            paths.setdefault(one_spelling(use.path), use.path)
        found = {key: self._manifest(key, path, snapshots) for key, path in paths.items()}
        return {key: manifest for key, manifest in found.items() if manifest is not None}

    def _manifest(
        self, key: str, path: str, snapshots: tuple[KeptSnapshot, ...]
    ) -> Manifest | None:
        def users() -> list[int]:
            return [
                snapshot.snapshot_id
                for snapshot in snapshots
                if any(one_spelling(use.path) == key for use in snapshot.manifests)
            ]

        manifest = self.known.manifests.get(key) or self._read(
            path, FileKind.MANIFEST, users, lambda content: read_manifest(content, name=path)
        )
        if manifest is not None:
            self.known.manifests[key] = manifest
        return manifest

    def _read(
        self,
        path: str,
        kind: FileKind,
        users: Callable[[], list[int]],
        parse: Callable[[bytes], R],
    ) -> R | None:
        """What ``parse`` makes of the file; None when it is broken and that is tolerated."""
        try:
            return parse(self.files.read(path))
        except PermanentError as error:
            if not self.tolerant:
                raise _explained(error, path, kind=kind, users=users()) from error
            self.broken.append(BrokenFile(path, kind, tuple(users()), error.what))
            return None


def _explained(
    error: PermanentError, path: str, *, kind: FileKind, users: list[int]
) -> PermanentError:
    """``error`` with what it breaks."""
    named = ", ".join(map(str, users[:_NAMED_SNAPSHOTS]))
    more = f" and {len(users) - _NAMED_SNAPSHOTS} more" if len(users) > _NAMED_SNAPSHOTS else ""
    missing = isinstance(error, MissingObjectError)
    what = f"{kind} {path} is gone" if missing else error.what
    return type(error)(f"{what}; it breaks snapshot {named}{more}", hint=error.hint)


def _snapshot(snapshot: Json, uses: tuple[ManifestUse, ...]) -> KeptSnapshot:
    return KeptSnapshot(
        snapshot_id=snapshot["snapshot-id"],
        parent_id=snapshot.get("parent-snapshot-id"),
        sequence_number=snapshot.get("sequence-number") or 0,
        timestamp_ms=snapshot["timestamp-ms"],
        schema_id=snapshot.get("schema-id"),
        manifest_list=snapshot.get("manifest-list") or "",
        manifests=uses,
    )
