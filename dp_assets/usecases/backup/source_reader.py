"""One file of a table being read, whose errors are told from those of the repository."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from dp_assets.core.errors import LakeError
from dp_assets.ports.object_store import MissingObjectError
from dp_assets.usecases.backup.backup_parts import SourceError, VanishedError

if TYPE_CHECKING:
    from types import TracebackType

    from dp_assets.ports.lake_files import LakeFiles


class Source:
    """A source file being read, whose errors are told from those of the repository.

    Use in a ``with``. Raises VanishedError, SourceError.
    """

    def __init__(self, files: LakeFiles, path: str) -> None:
        self._path = path
        try:
            self._open = files.open(path)
            self._reader = self._open.__enter__()
        except LakeError as error:
            raise self._told(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except LakeError as error:
            raise self._told(error) from error

    def _told(self, error: LakeError) -> VanishedError | SourceError:
        if isinstance(error, MissingObjectError):
            return VanishedError(f"{self._path} vanished while it was copied")
        return SourceError(error)
