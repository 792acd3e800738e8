"""The files of tables, by the locations that Iceberg metadata names them with."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from dp_assets.ports.object_store import Reader, Writer


@dataclass(frozen=True, slots=True)
class FileStat:
    """What is known of a file without reading it.

    Attributes:
        size: bytes.
        version: changes whenever the content may have: modification time in ns (local disk), etag.
    """

    size: int
    version: str


class NewFile(Writer, Protocol):
    """A file being written; without a commit nothing of it is left behind."""

    def commit(self, *, replace: bool = False, durable: bool = True) -> None:
        """Give it its location.

        Without ``durable`` it may be lost or torn by a power cut until :meth:`LakeFiles.settle`.
        Raises PermanentError when the location is taken, unless ``replace``.
        """
        ...


class LakeFiles(ABC):
    """Files by location: ``/x``, ``file:/x``, ``file:///x``, ``s3://``, ``s3a://``, ``s3n://``.

    Raises TransientError and PermanentError as :class:`ObjectStore` does.
    """

    @abstractmethod
    def stat(self, location: str) -> FileStat | None:
        """Size and version; None when there is no such file."""

    @abstractmethod
    def read(self, location: str) -> bytes:
        """The whole of a small file. Raises MissingObjectError."""

    @abstractmethod
    def open(self, location: str) -> AbstractContextManager[Reader]:
        """Read a file of any size in order. Raises MissingObjectError."""

    @abstractmethod
    def create(self, location: str) -> AbstractContextManager[NewFile]:
        """Write a file of any size in bounded memory; folders are made."""

    def write(
        self, location: str, content: bytes, *, replace: bool = False, durable: bool = True
    ) -> None:
        """Write a small file, as :meth:`create` and :meth:`NewFile.commit` do.

        Without ``durable`` a kill may leave a part of it there, too.
        """
        with self.create(location) as file:
            file.write(content)
            file.commit(replace=replace, durable=durable)

    def settle(self, locations: Iterable[str]) -> None:
        """Files and folders are durable, all below them too, when this returns.

        Raises TransientError or PermanentError when something cannot be made durable.
        """
        del locations  # a store without anything like it is durable at every commit

    @abstractmethod
    def delete(self, location: str) -> None:
        """Remove a file; one that is not there is no error."""
