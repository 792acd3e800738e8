"""The files of one table as a recovery point holds them, by the paths that its metadata uses."""

import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import MissingObjectError, Reader, Writer
from dp_assets.ports.recovery import ObjectRef, TableContent

IN_MEMORY_BYTES = 16 << 20


class Objects(Protocol):
    """What of a repository is needed here."""

    def copy_to(self, ref: ObjectRef, writer: Writer) -> None:
        """The content of ``ref``, checked."""
        ...

    def read(self, ref: ObjectRef) -> bytes:
        """The content of a small object, checked."""
        ...


class RepositoryFiles(LakeFiles):
    """Read-only; every file is checked before its first byte is given out.

    Args:
        lost: paths that are known to be damaged: they are missing, and nobody tries them.
    """

    def __init__(
        self, content: TableContent, repository: Objects, *, lost: Iterable[str] = ()
    ) -> None:
        gone = {one_spelling(path) for path in lost}
        named = ((one_spelling(stored.file.path), stored.ref) for stored in content.files)
        self._refs = {path: ref for path, ref in named if path not in gone}
        self._repository = repository

    def stat(self, location: str) -> FileStat | None:
        ref = self._refs.get(one_spelling(location))
        return FileStat(size=ref.size, version=ref.sha256) if ref else None

    def read(self, location: str) -> bytes:
        return self._repository.read(self._ref(location))

    @contextmanager
    def open(self, location: str) -> Generator[Reader, None, None]:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as file:
            self._repository.copy_to(self._ref(location), file)
            file.seek(0)
            yield file

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        raise _read_only(location)

    def delete(self, location: str) -> None:
        raise _read_only(location)

    def _ref(self, location: str) -> ObjectRef:
        ref = self._refs.get(one_spelling(location))
        if ref is None:
            raise MissingObjectError(
                f"the recovery point holds no {location}", hint="'dp verify' tells what is lost"
            )
        return ref


def _read_only(location: str) -> PermanentError:
    return PermanentError(
        f"write {location}: files of a recovery point never change", hint="restore the table first"
    )


def snapshots_hit(
    content: TableContent, repository: Objects, lost: frozenset[str]
) -> Mapping[str, tuple[int, ...]]:
    """By path of a lost file, the ids of the snapshots that cannot be read without it.

    Raises TransientError.
    """
    everything = tuple(snapshot.snapshot_id for snapshot in content.snapshots)
    files = RepositoryFiles(content, repository, lost=lost)
    try:
        closure = read_closure(files, content.pointer, history=content.history, tolerant=True)
    except PermanentError:
        return dict.fromkeys(lost, everything)  # without its metadata nothing of it can be read
    # What only a lost manifest listed is not known to be of one snapshot rather than another.
    unknown = {number for broken in closure.broken for number in broken.snapshots}
    in_doubt = tuple(number for number in everything if number in unknown)
    return {path: closure.snapshots_of(path) or in_doubt for path in lost}
