"""Lake files that remember what was read, may have lost some, and may have others replaced."""

from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO

from dp_assets.ports.closure import one_spelling
from dp_assets.ports.lake_files import FileStat, LakeFiles, NewFile
from dp_assets.ports.object_store import MissingObjectError, Reader


class RecordedFiles(LakeFiles):
    """``inner``, without the files in ``lost`` and with the contents in ``replaced``."""

    def __init__(
        self,
        inner: LakeFiles,
        *,
        lost: frozenset[str] = frozenset(),
        replaced: Mapping[str, bytes] | None = None,
    ) -> None:
        self._inner = inner
        self._lost = lost
        self._replaced = replaced or {}
        self.reads: Counter[str] = Counter()

    def stat(self, location: str) -> FileStat | None:
        return None if location in self._lost else self._inner.stat(location)

    def read(self, location: str) -> bytes:
        self.reads[one_spelling(location)] += 1
        if location in self._lost:
            raise MissingObjectError(f"read {location}: it is not there", hint="was it deleted?")
        found = self._replaced.get(location)
        return self._inner.read(location) if found is None else found

    def open(self, location: str) -> AbstractContextManager[Reader]:
        return self._opened(self.read(location))

    def create(self, location: str) -> AbstractContextManager[NewFile]:
        return self._inner.create(location)

    def delete(self, location: str) -> None:
        self._inner.delete(location)

    @contextmanager
    def _opened(self, content: bytes) -> Generator[Reader, None, None]:
        yield BytesIO(content)
