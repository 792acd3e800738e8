"""An object store in memory, and one that stops working after a number of changes."""

import io
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dp_assets.core.errors import PermanentError
from dp_assets.core.guards import unguarded
from dp_assets.ports.object_store import (
    MissingObjectError,
    ObjectInfo,
    ObjectStore,
    Reader,
)


class KilledError(BaseException):
    """The process ended here; no handler of ours may see it."""


@dataclass
class MemoryObjectStore(ObjectStore):
    """Objects by key.

    Attributes:
        changes_left: a change beyond these does not happen and raises KilledError; None: no end.
        every_create_wins: a server that ignores create-if-absent.
        changed: the keys changed, in order.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    changes_left: int | None = None
    every_create_wins: bool = False
    changed: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return "memory"

    def create(self, key: str, content: bytes) -> bool:
        if key in self.objects and not self.every_create_wins:
            return False
        self.put(key, content)
        return True

    def put(self, key: str, content: bytes, *, guard: Callable[[], None] = unguarded) -> None:
        guard()
        self._change(key)
        self.objects[key] = content

    def settle(self) -> None:
        """Nothing is durable in a fake."""

    @contextmanager
    def upload(self) -> Generator["MemoryUpload", None, None]:
        yield MemoryUpload(self)

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise MissingObjectError(f"read {key}: there is no such object", hint="fake")
        return self.objects[key]

    @contextmanager
    def open(self, key: str) -> Generator[Reader, None, None]:
        yield io.BytesIO(self.read(key))

    def size(self, key: str) -> int | None:
        return len(self.objects[key]) if key in self.objects else None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for key in sorted(self.objects):
            if key.startswith(prefix):
                yield ObjectInfo(key, len(self.objects[key]), 0)

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._change(key)
            self.objects.pop(key, None)

    def damage(self, key: str, *, at: int = 0, bits: int = 0xFF) -> None:
        """Flip ``bits`` of one byte."""
        content = bytearray(self.objects[key])
        content[at] ^= bits
        self.objects[key] = bytes(content)

    def _change(self, key: str) -> None:
        if self.changes_left is not None:
            if self.changes_left == 0:
                raise KilledError
            self.changes_left -= 1
        self.changed.append(key)


class MemoryUpload(io.BytesIO):
    """An object on its way into memory."""

    def __init__(self, store: MemoryObjectStore) -> None:
        super().__init__()
        self._store = store

    def commit(self, key: str, *, replace: bool = False, durable: bool = True) -> None:
        del durable
        if replace or key not in self._store.objects:
            self._store.put(key, self.getvalue())


class FullDisk(io.BytesIO):
    """A writer that takes nothing."""

    def write(self, _: object, /) -> int:
        raise PermanentError("write: no space left", hint="make some room")
