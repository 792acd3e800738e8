"""Files of tables into the repository: known ones are not read, the others are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dp_assets.adapters.objects.copying import StoppableReader, Workers, threads_for
from dp_assets.core.errors import LakeError, TransientError
from dp_assets.domains.backup.hashing import Discard, HashingReader, drain
from dp_assets.ports.recovery import StoredFile
from dp_assets.ports.repository_index import FileKey
from dp_assets.usecases.backup.backup_parts import (
    BrokenError,
    Holding,
    SourceError,
    VanishedError,
)
from dp_assets.usecases.backup.source_reader import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from threading import Event

    from dp_assets.ports.lake_files import FileStat
    from dp_assets.ports.recovery import ObjectRef, ReachableFile
    from dp_assets.ports.repository_index import KnownFile
    from dp_assets.usecases.backup.backup_parts import Parts

T = TypeVar("T")
PAUSES_S = (0.5, 2.0)  # before the second and the third attempt to read a source file


class Copied:
    """What one table's files cost; counted by many threads, summed afterwards."""

    def __init__(self, stored: Sequence[tuple[StoredFile, bool]]) -> None:
        self.files = tuple(file for file, _ in stored)
        new = [file.ref.size for file, was_added in stored if was_added]
        self.new_files, self.new_bytes = len(new), sum(new)


class SourceFiles:
    """Copies the files of one table after the other, several files at once."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._holding = Holding(parts)

    def store(
        self, table_uuid: str, files: Sequence[ReachableFile], *, read_all: bool = False
    ) -> Copied:
        """Make sure that the repository has every file, in the order of ``files``.

        Args:
            table_uuid: what known files are found by, with path, size and version.
            files: with the sizes that the table's metadata says.
            read_all: read known files as well and compare them.

        Raises:
            VanishedError, BrokenError, SourceError: about a file of the table.
            LakeError: the repository cannot be written, or the lease is lost.
        """
        index = self._parts.target.index
        keys = self._keys(table_uuid, files)
        known = index.files(keys)
        self._parts.progress.expect(sum(key.size for key in keys if key not in known))
        jobs = list(zip(files, keys, strict=True))

        def one(job: tuple[ReachableFile, FileKey], stop: Event) -> tuple[StoredFile, bool]:
            file, key = job
            ref, was_added = self._one(key, known.get(key), stop)
            if read_all and key in known:
                self._require_same(key, ref, stop)
            return StoredFile(file, key.version, ref), was_added

        copied = Copied(Workers(one, count=self._threads(keys)).run(jobs))
        fresh = [(k, f.ref) for k, f in zip(keys, copied.files, strict=True) if k not in known]
        index.add_files(fresh)
        return copied

    def read_again(self, key: FileKey, on_bytes: Callable[[int], None], stop: Event) -> str:
        """The SHA-256 of a known source file, read whole."""
        return retried(lambda: self._hash(key, on_bytes, stop), self._parts.sleep)

    def _require_same(self, key: FileKey, ref: ObjectRef, stop: Event) -> None:
        found = self.read_again(key, self._parts.progress.advance, stop)
        if found != ref.sha256:
            raise BrokenError(differs(key, found, ref.sha256))

    def stats(self, paths: Sequence[str]) -> list[FileStat | None]:
        """Size and version of each, several at once; None for what is not there."""

        def one(path: str, _stop: Event) -> FileStat | None:
            return self._stat(path)

        most = self._parts.wanted.workers
        return Workers(one, count=threads_for([0] * len(paths), paths, most=most)).run(paths)

    def _keys(self, table_uuid: str, files: Sequence[ReachableFile]) -> list[FileKey]:
        found = self.stats([file.path for file in files])
        return [_key(table_uuid, file, stat) for file, stat in zip(files, found, strict=True)]

    def _threads(self, keys: Sequence[FileKey]) -> int:
        places = (self._parts.target.repository.store.address, *(key.path for key in keys))
        return threads_for([k.size for k in keys], places, most=self._parts.wanted.workers)

    def _one(self, key: FileKey, row: KnownFile | None, stop: Event) -> tuple[ObjectRef, bool]:
        if row is not None:
            ref = self._parts.target.known.trusted(row)
            if ref is not None:
                return ref, False
        return retried(lambda: self._copy(key, stop), self._parts.sleep)

    def _copy(self, key: FileKey, stop: Event) -> tuple[ObjectRef, bool]:
        parts = self._parts
        with self._holding.of(key.size), Source(parts.files, key.path) as found:
            reader = StoppableReader(found, stop, parts.progress.advance)
            ref, was_added = parts.add(reader)
        after = self._stat(key.path)
        if after is None:
            raise VanishedError(f"{key.path} vanished while it was copied")
        if (ref.size, after.size, after.version) != (key.size, key.size, key.version):
            raise BrokenError(f"{key.path} changed while it was copied")
        return ref, was_added

    def _stat(self, path: str) -> FileStat | None:
        def look() -> FileStat | None:
            try:
                return self._parts.files.stat(path)
            except LakeError as error:
                raise SourceError(error) from error

        return retried(look, self._parts.sleep)

    def _hash(self, key: FileKey, on_bytes: Callable[[int], None], stop: Event) -> str:
        with self._holding.of(key.size), Source(self._parts.files, key.path) as reader:
            hashing = HashingReader(StoppableReader(reader, stop, on_bytes))
            drain(hashing, Discard())
        return hashing.sha256


def retried(read: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """``read``, again after a pause when the source's error may pass."""
    for pause_s in PAUSES_S:
        try:
            return read()
        except SourceError as error:
            if not isinstance(error.error, TransientError):
                raise
            sleep(pause_s)
    return read()


def differs(key: FileKey, found: str, expected: str) -> str:
    """What is wrong with a known file that looks as before and is not."""
    return (
        f"{key.path} changed although its size and time did not: SHA-256 {found}, it was {expected}"
    )


def _key(table_uuid: str, file: ReachableFile, stat: FileStat | None) -> FileKey:
    if stat is None:
        raise VanishedError(f"{file.path} is not there")
    if file.size is not None and file.size != stat.size:
        raise BrokenError(
            f"{file.path} has {stat.size} bytes, the table's metadata says {file.size}"
        )
    return FileKey(table_uuid, file.path, stat.size, stat.version)
