"""Local files read in order, with as few calls as there can be: there may be many thousands."""

import os
import sys
from types import TracebackType
from typing import Self

from dp_assets.adapters.objects.file_errors import file_error

AFTER_END = 4096  # asked for where the end should be: files may grow


class LocalReader:
    """A local file being read in order. Use in a ``with``.

    Args:
        path: the file.
        flags: of open(2), besides those for reading.

    Raises MissingObjectError, TransientError, PermanentError.
    """

    def __init__(self, path: str, *, flags: int = 0) -> None:
        self._path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
            self._left = os.fstat(self._descriptor).st_size
        except OSError as error:
            raise file_error(error, doing="read", path=path) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read(self, size: int, /) -> bytes:
        if size < 0:
            return b"".join(iter(self._next, b""))
        return self._next(size)

    def _next(self, most: int = sys.maxsize) -> bytes:
        """The next piece; memory for more than there is would cost as much as reading it."""
        try:
            data = os.read(self._descriptor, min(most, self._left if self._left > 0 else AFTER_END))
        except OSError as error:
            raise file_error(error, doing="read", path=self._path) from error
        self._left -= len(data)
        return data
