"""A store whose caller is stopped at one chosen call while somebody else works."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

from dp_assets.core.guards import unguarded
from dp_assets.ports.object_store import ObjectInfo, Reader
from dp_assets_tests.fakes.objects import MemoryObjectStore, MemoryUpload


class HookedStore(MemoryObjectStore):
    """Shares its objects with other stores; before call ``at_call`` (from 0) comes ``meanwhile``.

    A deletion of many keys is a call for each.
    """

    def __init__(
        self, objects: dict[str, bytes], *, at_call: int, meanwhile: Callable[[], None]
    ) -> None:
        super().__init__(objects)
        self._left = at_call
        self._meanwhile = meanwhile
        self.stopped = False

    def _call(self) -> None:
        self._left -= 1
        if self._left == -1:
            self.stopped = True
            self._meanwhile()

    def put(self, key: str, content: bytes, *, guard: Callable[[], None] = unguarded) -> None:
        self._call()
        super().put(key, content, guard=guard)

    def create(self, key: str, content: bytes) -> bool:
        self._call()
        if key in self.objects:
            return False
        self.objects[key] = content
        return True

    @contextmanager
    def upload(self) -> Generator[MemoryUpload, None, None]:
        self._call()
        with super().upload() as upload:
            yield upload

    def read(self, key: str) -> bytes:
        self._call()
        return super().read(key)

    @contextmanager
    def open(self, key: str) -> Generator[Reader, None, None]:
        with super().open(key) as reader:
            yield reader

    def size(self, key: str) -> int | None:
        self._call()
        return super().size(key)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        self._call()
        return iter([*super().list(prefix)])

    def delete(self, keys: Iterable[str]) -> None:
        self._call()
        super().delete(keys)
