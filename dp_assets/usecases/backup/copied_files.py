"""Files on their way out of a repository: counted, and known again when they are there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.domains.backup.hashing import Discard, HashingReader, drain

if TYPE_CHECKING:
    from collections.abc import Callable

    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.object_store import Writer
    from dp_assets.ports.recovery import ObjectRef


def nobody_counts(size_bytes: int) -> None:
    """For callers without a progress bar."""
    del size_bytes


class CountingWriter:
    """A writer that tells how much went through it."""

    def __init__(self, writer: Writer, on_bytes: Callable[[int], None]) -> None:
        self._writer = writer
        self._on_bytes = on_bytes
        self.flush = writer.flush

    def write(self, data: bytes, /) -> int:
        self._on_bytes(len(data))
        return self._writer.write(data)


def is_whole(files: LakeFiles, location: str, ref: ObjectRef) -> bool:
    """Whether a file is what ``ref`` says, by reading it: a size alone proves nothing."""
    found = files.stat(location)
    if found is None or found.size != ref.size:
        return False
    with files.open(location) as reader:
        hashing = HashingReader(reader)
        drain(hashing, Discard())
    return hashing.sha256 == ref.sha256
