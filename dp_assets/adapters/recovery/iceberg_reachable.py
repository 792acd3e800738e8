"""The files of a table as one list, each once whatever its spelling."""

from collections.abc import Iterator, Mapping

from dp_assets.adapters.recovery.iceberg_metadata import STATISTICS, Json
from dp_assets.ports.closure import (
    KeptSnapshot,
    Manifest,
    ManifestUse,
    inherited_number,
    one_spelling,
)
from dp_assets.ports.recovery import FileKind, ReachableFile


def reachable_files(
    pointer: str,
    metadata: Json,
    *,
    snapshots: tuple[KeptSnapshot, ...],
    manifests: Mapping[str, Manifest],
) -> tuple[ReachableFile, ...]:
    """Every file that the kept snapshots need, each once, sorted by path."""
    found: dict[str, ReachableFile] = {}
    for file in (
        ReachableFile(pointer, FileKind.METADATA),
        *_lists(snapshots),
        *_statistics(metadata, {snapshot.snapshot_id for snapshot in snapshots}),
    ):
        found.setdefault(one_spelling(file.path), file)
    for use in distinct_uses(snapshots):
        manifest = ReachableFile(use.path, FileKind.MANIFEST, use.size, spec_id=use.spec_id)
        found.setdefault(one_spelling(use.path), manifest)
        if read := manifests.get(one_spelling(use.path)):
            _add_entries(found, read, use)
    return tuple(sorted(found.values(), key=lambda file: file.path))


def distinct_uses(snapshots: tuple[KeptSnapshot, ...]) -> tuple[ManifestUse, ...]:
    """What the lists of the snapshots say of manifests, in their order.

    The same line of many lists is one object (:attr:`ParsedFiles.uses`), which is found again
    without comparing half a million of them.
    """
    found = {id(use): use for snapshot in snapshots for use in snapshot.manifests}
    return tuple(found.values())


def _lists(snapshots: tuple[KeptSnapshot, ...]) -> Iterator[ReachableFile]:
    for snapshot in snapshots:
        if snapshot.manifest_list:
            yield ReachableFile(snapshot.manifest_list, FileKind.MANIFEST_LIST)


def _statistics(metadata: Json, kept: set[int]) -> Iterator[ReachableFile]:
    for name, kind in STATISTICS:
        for one in metadata.get(name) or ():
            if one["snapshot-id"] in kept:
                size: int | None = one.get("file-size-in-bytes")
                yield ReachableFile(one["statistics-path"], kind, size)


def _add_entries(found: dict[str, ReachableFile], manifest: Manifest, use: ManifestUse) -> None:
    spec_id = manifest.spec_id if use.spec_id is None else use.spec_id
    for entry in manifest.entries:
        vector = entry.kind is FileKind.DELETION_VECTORS
        file = ReachableFile(
            path=entry.path,
            kind=entry.kind,
            size=entry.size,
            sequence_number=inherited_number(entry, use),
            spec_id=spec_id,
            # A file of vectors may hold those of several partitions.
            partition="" if vector else entry.partition,
            records=None if vector else entry.records,
            format=entry.format,
        )
        found.setdefault(one_spelling(entry.path), file)
