"""One table out of a repository, whole, at a place of its own; nothing is registered here.

Data files, equality deletes and statistics are copied as they are, hashed on the way. Files that
name other files are written anew, inside out: delete files, manifests, manifest lists, metadata.
Everything is read from the repository with its hash checked, so the source may be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from dp_assets.adapters.objects.copying import ByteBudget, StoppedError, Workers, threads_for
from dp_assets.adapters.recovery.avro_generic import rewrite
from dp_assets.adapters.recovery.relocating_deletes import rewrite_deletes
from dp_assets.core.errors import PermanentError
from dp_assets.domains.backup.hashing import drain
from dp_assets.domains.backup.moved_manifests import (
    MovedDeletes,
    Record,
    move_entry,
    move_listing,
)
from dp_assets.domains.backup.moved_metadata import (
    encode_metadata,
    kept_history,
    moved_metadata,
    moved_pointer,
    parse_metadata,
)
from dp_assets.domains.backup.path_map import PathMap, path_map, targets
from dp_assets.domains.backup.settling import Settling
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.object_store import WHOLE_BYTES
from dp_assets.ports.recovery import FileKind
from dp_assets.usecases.backup.copied_files import (
    CountingWriter,
    is_whole,
    nobody_counts,
    nothing_to_guard,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.lake_files import LakeFiles, NewFile
    from dp_assets.ports.recovery import StoredFile, TableContent

R = TypeVar("R")
NAMING_DATA = (FileKind.POSITION_DELETES, FileKind.DELETION_VECTORS)
AS_THEY_ARE = (
    FileKind.DATA,
    FileKind.EQUALITY_DELETES,
    FileKind.STATISTICS,
    FileKind.PARTITION_STATISTICS,
)
# Of files that are being rewritten, all together: 8 MB of a manifest are about 100 MB of records.
REWRITTEN_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Way:
    """From where to where files go, and how.

    Attributes:
        files: of the target.
        tmp_dir: for one delete file per worker.
        workers: files at once; a copy holds one chunk of its file.
        resume: what is there already is this restore's own: it is read and compared, kept when
            it is right and replaced when it is not. Else nothing that exists is touched.
        guard: raises when this run has lost the right to go on; asked before every file.
        on_bytes: told what was read of the repository, or found to be there already.
    """

    repository: Repository
    files: LakeFiles
    tmp_dir: Path
    workers: int = 4
    resume: bool = False
    guard: Callable[[], None] = nothing_to_guard
    on_bytes: Callable[[int], None] = nobody_counts


class Relocation:
    """A table of a recovery point, on its way to ``location``."""

    def __init__(self, way: Way, content: TableContent, *, location: str) -> None:
        self._way = way
        self._content = content
        self._location = location
        self._made: list[str] = []
        self._rewriting = ByteBudget(REWRITTEN_BYTES)
        self._settling = Settling(lambda: way.files.settle([location]))

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """As it was, before anything is mapped."""
        return metadata_of(self._way.repository, self._content)

    @cached_property
    def to(self) -> PathMap:
        """Where each of its files goes."""
        return path_map(self.metadata, self._location)

    @property
    def pointer(self) -> str:
        """Where its metadata file goes."""
        return moved_pointer(self._content.pointer, self.to)

    def check(self) -> None:
        """Raises PermanentError when it cannot be moved."""
        if self._content.immovable:
            raise PermanentError(
                f"{self._content.table} can be restored to its own paths only: "
                f"{self._content.immovable}",
                hint=f"'dp undrop {self._content.table}' puts it back in place",
            )
        targets((stored.file.path for stored in self._content.files), self.to)

    def run(self, *, uuid: str) -> None:
        """Write every file, the metadata file last; durable once the way's files are settled.

        Raises:
            DamagedObjectError, MissingObjectError: the repository has lost what the table needs.
            PermanentError: a file is in the way, or the disk is full.
        """
        with self._settling:
            self._each(self._copy, AS_THEY_ARE)
            self._rewrite(uuid)

    def _rewrite(self, uuid: str) -> None:
        """The files that name others, inside out."""
        deletes = self._each(self._deletes, NAMING_DATA)
        lengths = self._each(
            lambda manifest: self._records(manifest, lambda r: move_entry(r, self.to, deletes)),
            (FileKind.MANIFEST,),
        )
        self._each(
            lambda listing: self._records(listing, lambda r: move_listing(r, self.to, lengths)),
            (FileKind.MANIFEST_LIST,),
        )
        moved = moved_metadata(self.metadata, self.to, uuid=uuid)
        self._write(self.pointer, encode_metadata(moved))

    def undo(self) -> None:
        """Remove what :meth:`run` wrote; what was there before stays."""
        while self._made:
            self._way.files.delete(self._made.pop())

    def _each(self, work: Callable[[StoredFile], R], kinds: Sequence[FileKind]) -> dict[str, R]:
        """``work`` for every file of these kinds, once each; its results by the old path."""
        by_name = {
            one_spelling(f.file.path): f for f in self._content.files if f.file.kind in kinds
        }

        def one(stored: StoredFile, stop: Event) -> R:
            if stop.is_set():
                raise StoppedError
            self._way.guard()
            return work(stored)

        places = (self._way.repository.store.address, self._location)
        sizes = [stored.ref.size for stored in by_name.values()]
        count = _threads(sizes, places, most=self._way.workers)
        results = Workers(one, count=count).run(by_name.values())
        return dict(zip(by_name, results, strict=True))

    def _copy(self, stored: StoredFile) -> None:
        location, size = self.to(stored.file.path), stored.ref.size
        if self._way.resume and is_whole(self._way.files, location, stored.ref):
            self._way.on_bytes(size)
            return
        if size <= WHOLE_BYTES:
            self._write(location, self._way.repository.read(stored.ref))
            self._way.on_bytes(size)
        else:
            with self._way.files.create(location) as out:
                self._way.repository.copy_to(stored.ref, CountingWriter(out, self._way.on_bytes))
                self._commit(out, location)
        self._settling.wrote(size)

    def _deletes(self, stored: StoredFile) -> MovedDeletes:
        """A delete file, through temporary files: it may be large, and is read in any order."""
        with (
            self._rewriting.taken(stored.ref.size),
            TemporaryDirectory(dir=self._way.tmp_dir) as folder,
        ):
            old, new = Path(folder) / "old", Path(folder) / "new"
            with old.open("wb") as out:
                self._way.repository.copy_to(stored.ref, CountingWriter(out, self._way.on_bytes))
            rewritten = rewrite_deletes(
                old, new, name=stored.file.path, file_format=stored.file.format, to=self.to
            )
            location = self.to(stored.file.path) + rewritten.suffix
            with new.open("rb") as file, self._way.files.create(location) as target:
                drain(file, target)
                self._commit(target, location)
        return MovedDeletes(
            location=location,
            size=rewritten.size,
            format=rewritten.format,
            first_path=rewritten.first_path,
            last_path=rewritten.last_path,
            split_offsets=rewritten.split_offsets,
        )

    def _records(self, stored: StoredFile, change: Callable[[Record], None]) -> int:
        """An Avro file with its records changed; its new length."""
        with self._rewriting.taken(stored.ref.size):
            content = self._way.repository.read(stored.ref)
            data = rewrite(content, change, name=stored.file.path)
            self._write(self.to(stored.file.path), data)
        self._way.on_bytes(stored.ref.size)
        return len(data)

    def _write(self, location: str, data: bytes) -> None:
        self._way.files.write(location, data, replace=self._way.resume, durable=False)
        self._made.append(location)

    def _commit(self, file: NewFile, location: str) -> None:
        file.commit(replace=self._way.resume, durable=False)
        self._made.append(location)


def metadata_of(repository: Repository, content: TableContent) -> Mapping[str, Any]:
    """The table's metadata with the snapshots that the point holds.

    Raises DamagedObjectError, MissingObjectError.
    """
    found = next(f for f in content.files if f.file.kind is FileKind.METADATA)
    metadata = parse_metadata(repository.read(found.ref), about=content.pointer)
    return kept_history(metadata, {snapshot.snapshot_id for snapshot in content.snapshots})


def _threads(sizes: list[int], places: Iterable[str], *, most: int) -> int:
    """Making a new file is work for the system, during which a second thread can go on."""
    return min(most, len(sizes), max(2, threads_for(sizes, places, most=most)))
