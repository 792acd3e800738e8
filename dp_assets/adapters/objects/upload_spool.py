"""Bytes that wait for their key: in memory, and once there are many in a file without a name."""

import tempfile
from pathlib import Path
from typing import IO

from dp_assets.adapters.objects.file_errors import file_errors


class UploadSpool:
    """Takes bytes in order, then gives them back once.

    Args:
        folder: where the file is; it is made. The file has no name: nothing stays after a kill.
        memory_bytes: how many stay in memory.
    """

    def __init__(self, folder: Path, *, memory_bytes: int) -> None:
        self._folder = folder
        self._memory_bytes = memory_bytes
        self.memory = bytearray()
        self.file: IO[bytes] | None = None
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self.size += len(data)
        if self.file is None and self.size > self._memory_bytes:
            with file_errors("write", self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
                self.file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - see close
                self.file.write(self.memory)
            self.memory = bytearray()
        if self.file is None:
            self.memory += data
        else:
            with file_errors("write", self._folder):
                self.file.write(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is promised before the commit."""

    def close(self) -> None:
        """Forget the bytes."""
        self.memory = bytearray()
        if self.file is not None:
            self.file.close()
