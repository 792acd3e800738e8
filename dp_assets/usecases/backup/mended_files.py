"""The files of a lake as they will be when some of them are back: for planning, never written."""

from __future__ import annotations

from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from dp_assets.adapters.objects.seekable_copy import IN_MEMORY_BYTES
from dp_assets.ports.closure import one_spelling
from dp_assets.ports.lake_files import FileStat, LakeFiles

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager

    from dp_assets.domains.backup.repository import Repository
    from dp_assets.ports.lake_files import NewFile
    from dp_assets.ports.object_store import Reader
    from dp_assets.ports.recovery import StoredFile


class MendedFiles(LakeFiles):
    """``files``, except that what is in ``back`` is read from the repository.

    Attributes:
        back: by ``one_spelling`` of the path.
    """

    def __init__(self, files: LakeFiles, repository: Repository | None) -> None:
        self._files = files
        self._repository = repository
        self.back: dict[str, StoredFile] = {}

    def stat(self, location: str) -> FileStat | None:
        stored = self.back.get(one_spelling(location))
        return FileStat(stored.ref.size, "") if stored else self._files.stat(location)

    def read(self, location: str) -> bytes:
        stored = self.back.get(one_spelling(location))
        if stored is None or self._repository is None:
            return self._files.read(location)
        return self._repository.read(stored.ref)

    @contextmanager
    def open(self, location: str) -> Generator[Reader, None, None]:
        stored = self.back.get(one_spelling(location))
        if stored is None or self._repository is None:
            with self._files.open(location) as reader:
                yield reader
            return
        with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as copy:
            self._repository.copy_to(stored.ref, copy)
            copy.seek(0)
            yield copy

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        raise AssertionError(f"a plan writes {location}")

    def delete(self, location: str) -> None:
        raise AssertionError(f"a plan deletes {location}")
