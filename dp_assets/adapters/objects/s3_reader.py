"""An object of a bucket as an open file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.objects.s3_errors import s3_errors
from dp_assets.core.errors import TransientError

if TYPE_CHECKING:
    from obstore import BytesStream


class S3Reader:
    """An object being read in order."""

    def __init__(self, stream: BytesStream, *, size: int, where: str) -> None:
        self._stream = stream
        self._left = size
        self._where = where
        self._piece = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        if not self._piece and self._left:
            self._piece = memoryview(self._next())
            self._left -= len(self._piece)
        taken, self._piece = self._piece[:size], self._piece[size:]
        return bytes(taken)

    def _next(self) -> bytes:
        with s3_errors("read", self._where):
            piece = next(self._stream, b"")
        if not piece:
            raise TransientError(
                f"read {self._where}: it ends {self._left} bytes early", hint="run it again"
            )
        return piece
