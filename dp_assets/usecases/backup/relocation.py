"""One table out of a repository, whole, at a place of its own; nothing is registered here.

Data files, equality deletes and statistics are copied as they are, hashed on the way. Files that
name other files are written anew, inside out: delete files, manifests, manifest lists, metadata.
Everything is read from the repository with its hash checked, so the source may be gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from dp_assets.adapters.objects.copying import ByteBudget, StoppedError, Workers, threads_for
from dp_assets.adapters.recovery.avro_generic import rewrite
from dp_assets.adapters.recovery.relocating_deletes import rewrite_deletes
from dp_assets.core.errors import PermanentError
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
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.recovery import FileKind
from dp_assets.usecases.backup.copied_files import CountingWriter
from dp_assets.usecases.backup.placing import Placing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from threading import Event

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.recovery import StoredFile, TableContent
    from dp_assets.usecases.backup.placing import Way

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


class Relocation:
    """A table of a recovery point, on its way to ``location``."""

    def __init__(self, way: Way, content: TableContent, *, location: str) -> None:
        self._way = way
        self._content = content
        self._location = location
        self._placing = Placing(way, location)
        self._rewriting = ByteBudget(REWRITTEN_BYTES)

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
        with self._placing.settling:
            self._each(
                lambda stored: self._placing.copy(stored.ref, self.to(stored.file.path)),
                AS_THEY_ARE,
            )
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
        self._placing.write(self.pointer, encode_metadata(moved))

    def undo(self) -> None:
        """Remove what :meth:`run` wrote; what was there before stays."""
        self._placing.undo()

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
            self._placing.write_from(new, location)
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
            self._placing.write(self.to(stored.file.path), data)
        self._way.on_bytes(stored.ref.size)
        return len(data)


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
