"""SHA-256 of what passes through."""

import hashlib

from dp_assets.ports.object_store import CHUNK_BYTES, Reader, Writer


class HashingReader:
    """A reader that knows the hash and the length of what was read through it."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = CHUNK_BYTES, /) -> bytes:
        data = self._reader.read(size)
        self._hash.update(data)
        self.size += len(data)
        return data

    @property
    def sha256(self) -> str:
        """Of everything read so far."""
        return self._hash.hexdigest()


class HashingWriter:
    """A writer that knows the hash and the length of what went through it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes, /) -> int:
        self._hash.update(data)
        self.size += len(data)
        return self._writer.write(data)

    def flush(self) -> None:
        self._writer.flush()

    @property
    def sha256(self) -> str:
        """Of everything written so far."""
        return self._hash.hexdigest()


class Discard:
    """A writer that keeps nothing: for reading a thing only to hash it."""

    def write(self, data: bytes, /) -> int:
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""


def drain(reader: Reader, writer: Writer) -> None:
    """Everything from ``reader`` to ``writer``, a chunk at a time."""
    while data := reader.read(CHUNK_BYTES):
        writer.write(data)
