"""A table moved with the parts that restore moves tables with, and ways to spoil the copy."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from dp_assets.adapters.recovery.avro_generic import Record, rewrite
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.iceberg_proof import snapshot_facts
from dp_assets.adapters.recovery.relocating_deletes import rewrite_deletes
from dp_assets.domains.backup.moved_manifests import MovedDeletes, move_entry, move_listing
from dp_assets.domains.backup.moved_metadata import (
    encode_metadata,
    moved_metadata,
    moved_pointer,
)
from dp_assets.domains.backup.path_map import PathMap, path_map
from dp_assets.ports.closure import TableClosure, one_spelling
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.recovery import FileKind, History, ReachableFile, SnapshotFacts

HASHED = (FileKind.DATA, FileKind.EQUALITY_DELETES)
NAMING_DATA = (FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS)


def unspoiled(record: Record) -> None:
    """Leaves the record as restore made it."""
    del record


@dataclass(frozen=True)
class Spoil:
    """What goes wrong in the copy.

    Attributes:
        named: what the delete files name their data files, given the right name and the old one.
        entry, line: called with a manifest's entry and a list's line after they were moved.
    """

    named: Callable[[str, str], str] = lambda right, old: right
    entry: Callable[[Record], None] = unspoiled
    line: Callable[[Record], None] = unspoiled


def facts(files: LakeFiles, pointer: str) -> tuple[SnapshotFacts, ...]:
    """The facts of every snapshot, with hashes taken of what is there."""
    closure = read_closure(files, pointer, history=History.ALL)
    return snapshot_facts(closure, files, hashes(files, closure))


def hashes(files: LakeFiles, closure: TableClosure) -> dict[str, str]:
    return {
        file.path: hashlib.sha256(files.read(file.path)).hexdigest()
        for file in closure.files
        if file.kind in HASHED
    }


def move(files: LakeFiles, pointer: str, target: Path, *, spoil: Spoil | None = None) -> str:
    """Copy a table, all of it, to ``target``; the pointer of the copy."""
    closure = read_closure(files, pointer, history=History.ALL)
    moving = _Moving(files, path_map(closure.metadata, str(target)), spoil or Spoil())
    deletes: dict[str, MovedDeletes] = {}
    lengths: dict[str, int] = {}
    by_kind = {kind: [f for f in closure.files if f.kind is kind] for kind in FileKind}
    for kind in NAMING_DATA:
        for file in by_kind[kind]:
            deletes[one_spelling(file.path)] = moving.deletes(file)
    for file in by_kind[FileKind.MANIFEST]:
        lengths[one_spelling(file.path)] = moving.entries(file.path, deletes)
    for file in by_kind[FileKind.MANIFEST_LIST]:
        moving.lines(file.path, lengths)
    for kind in (*HASHED, FileKind.STATISTICS, FileKind.PARTITION_STATISTICS):
        for file in by_kind[kind]:
            moving.write(moving.to(file.path), files.read(file.path))
    new = moved_pointer(pointer, moving.to)
    moving.write(new, encode_metadata(moved_metadata(closure.metadata, moving.to)))
    return new


@dataclass(frozen=True)
class _Moving:
    files: LakeFiles
    to: PathMap
    spoil: Spoil

    def write(self, location: str, content: bytes) -> None:
        path = Path(location)  # nothing here must survive a power cut
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)

    def entries(self, path: str, deletes: dict[str, MovedDeletes]) -> int:
        def change(entry: Record) -> None:
            move_entry(entry, self.to, deletes)
            self.spoil.entry(entry)

        return self._rewrite(path, change)

    def lines(self, path: str, lengths: dict[str, int]) -> None:
        def change(line: Record) -> None:
            move_listing(line, self.to, lengths)
            self.spoil.line(line)

        self._rewrite(path, change)

    def _rewrite(self, path: str, change: Callable[[Record], None]) -> int:
        content = rewrite(self.files.read(path), change, name=path)
        self.write(self.to(path), content)
        return len(content)

    def deletes(self, file: ReachableFile) -> MovedDeletes:
        with TemporaryDirectory() as folder:
            old, new = Path(folder, "old"), Path(folder, "new")
            old.write_bytes(self.files.read(file.path))
            made = rewrite_deletes(
                old,
                new,
                name=file.path,
                file_format=file.format,
                to=lambda path: self.spoil.named(self.to(path), path),
            )
            location = self.to(file.path) + made.suffix
            self.write(location, new.read_bytes())
        return MovedDeletes(
            location=location,
            size=made.size,
            format=made.format,
            first_path=made.first_path,
            last_path=made.last_path,
            split_offsets=made.split_offsets,
        )
