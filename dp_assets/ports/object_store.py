"""Bytes under keys: what a repository is kept in, be it a folder or a bucket.

A key is a relative path of plain ASCII parts, ``objects/ab/abcd...``. What is stored under a key
is whole or absent: no reader ever sees half of it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from dp_assets.core.errors import PermanentError
from dp_assets.core.guards import unguarded

CHUNK_BYTES = 1 << 20
WHOLE_BYTES = CHUNK_BYTES  # no larger ones are read whole: a few calls instead of many


class MissingObjectError(PermanentError):
    """There is nothing under that key or at that location."""


class DamagedObjectError(PermanentError):
    """What is stored is not what was stored once."""


class Reader(Protocol):
    """Where bytes come from: an open file."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


class Writer(Protocol):
    """Where bytes go: an open file."""

    def write(self, data: bytes, /) -> int:
        """Take all of ``data``."""
        ...

    def flush(self) -> None:
        """Nothing is promised before the commit."""
        ...


class Upload(Writer, Protocol):
    """An object on its way. Without a commit nothing of it is left behind."""

    def commit(self, key: str, *, replace: bool = False, durable: bool = True) -> None:
        """Store the bytes under ``key``, which may be known only now.

        A taken key keeps its content unless ``replace``. Without ``durable`` they may be lost or
        torn by a power cut until :meth:`ObjectStore.settle`.
        """
        ...


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One listed object; ``modified_ms`` by the store's clock."""

    key: str
    size: int
    modified_ms: int


class ObjectStore(ABC):
    """A place for objects. Safe for many threads, processes and machines.

    Every method raises TransientError for what may pass (no answer in time, 500, 503, cut
    connections) and PermanentError for what will not (403, no such bucket, read-only, full disk).
    """

    @property
    @abstractmethod
    def address(self) -> str:
        """Where it is, without credentials; for messages and records."""

    @abstractmethod
    def create(self, key: str, content: bytes) -> bool:
        """Store a small object unless the key is taken; False when it was.

        Of any number of callers with one key exactly one gets True. Durable when it returns.
        """

    @abstractmethod
    def put(self, key: str, content: bytes, *, guard: Callable[[], None] = unguarded) -> None:
        """Store a small object, replacing what was there. Durable when it returns.

        ``guard`` is asked right before the object can be read, when all that takes its time is
        done; what it raises is raised, and what was there stays.
        """

    @abstractmethod
    def upload(self) -> AbstractContextManager[Upload]:
        """Store an object of any size in bounded memory."""

    @abstractmethod
    def settle(self) -> None:
        """Everything that can be read now is durable when this returns, whoever stored it.

        Raises TransientError or PermanentError when something cannot be made durable.
        """

    @abstractmethod
    def read(self, key: str) -> bytes:
        """The whole of a small object. Raises MissingObjectError."""

    @abstractmethod
    def open(self, key: str) -> AbstractContextManager[Reader]:
        """Read an object of any size in order. Raises MissingObjectError."""

    @abstractmethod
    def size(self, key: str) -> int | None:
        """Bytes stored under ``key``; None when there is nothing."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Everything whose key starts with ``prefix``, each once, sorted by key.

        A listing that repeats a page or goes backwards raises PermanentError.
        """

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; one that is not there is no error."""
