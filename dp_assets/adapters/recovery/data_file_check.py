"""The content of one file of a table, read once from front to end: its hash, its rows, its damage.

Source of the formats' footers: Parquet format, "File format"; Avro specification, "Object
Container Files"; ORC specification, "File Tail".
"""

import hashlib
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from io import IOBase
from threading import Event
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc

from dp_assets.adapters.objects.copying import StoppableReader
from dp_assets.adapters.objects.seekable_copy import seekable_copy
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.core.errors import PermanentError
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.object_store import CHUNK_BYTES, Reader
from dp_assets.ports.recovery import FileKind, ReachableFile

# The footer of a Parquet file is some 100 bytes per column and row group.
TAIL_BYTES = 4 << 20
_PARQUET_END_BYTES = 8  # length of the footer (little-endian), magic
_DAMAGE = (pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Content:
    """What was read.

    Attributes:
        rows: None where the format does not count any.
        problem: why it cannot be made sense of; "" when it can.
    """

    sha256: str
    size: int
    rows: int | None = None
    problem: str = ""


def read_content(
    files: LakeFiles,
    file: ReachableFile,
    *,
    vectors: Collection[Place] = (),
    stop: Event,
    on_bytes: Callable[[int], None],
) -> Content:
    """Read a file whole, in bounded memory.

    Args:
        files: where it is.
        file: with the format that its manifest says.
        vectors: the deletion vectors that are to be in it.
        stop: set when the work is given up.
        on_bytes: told what was read.

    Raises:
        MissingObjectError: it is gone.
        PermanentError, TransientError: it cannot be reached.
    """
    with files.open(file.path) as reader:
        seen = _Seen(StoppableReader(reader, stop, on_bytes))
        rows, problem = _rows(seen, file)
        seen.drain()
    if file.format == "PARQUET":
        rows, problem = _parquet_rows(files, file.path, seen.tail())
    elif file.format == "ORC":
        rows, problem = _orc_rows(files, file.path)
    elif file.kind is FileKind.DELETION_VECTORS:
        problem = _vectors_problem(files, file.path, vectors)
    return Content(seen.sha256, seen.size, rows, problem)


@dataclass(slots=True)
class _Seen:
    """A reader that hashes what passes and remembers the end of it."""

    reader: Reader
    size: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _last: deque[bytes] = field(default_factory=deque[bytes])
    _kept: int = 0

    def read(self, size: int, /) -> bytes:
        data = self.reader.read(size)
        self._hash.update(data)
        self.size += len(data)
        self._last.append(data)
        self._kept += len(data)
        while self._kept - len(self._last[0]) >= TAIL_BYTES:
            self._kept -= len(self._last.popleft())
        return data

    def drain(self) -> None:
        while self.read(CHUNK_BYTES):
            pass

    def tail(self) -> bytes:
        return b"".join(self._last)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _rows(seen: _Seen, file: ReachableFile) -> tuple[int | None, str]:
    """Avro counts as it goes; what has a footer is looked at when the end is known."""
    if file.format != "AVRO":
        return None, ""
    try:
        return sum(1 for _ in records(seen, name=file.path)), ""
    except PermanentError as error:
        return None, error.what


def _parquet_rows(files: LakeFiles, path: str, tail: bytes) -> tuple[int | None, str]:
    """Only the footer is looked at, and it stands at the end."""
    footer = int.from_bytes(tail[-_PARQUET_END_BYTES:-4], "little")
    try:
        if footer + _PARQUET_END_BYTES <= len(tail):
            return pq.read_metadata(pa.BufferReader(tail)).num_rows, ""
        with seekable_copy(files, path) as file:
            return pq.read_metadata(file).num_rows, ""
    except _DAMAGE as error:
        return None, f"its footer cannot be read: {_first_line(error)}"


def _orc_rows(files: LakeFiles, path: str) -> tuple[int | None, str]:
    with seekable_copy(files, path) as file:
        try:
            return orc.ORCFile(pa.PythonFile(cast("IOBase", file), mode="r")).nrows, ""
        except _DAMAGE as error:
            return None, f"its footer cannot be read: {_first_line(error)}"


def _vectors_problem(files: LakeFiles, path: str, vectors: Collection[Place]) -> str:
    try:
        read_vectors(files, path, places=vectors)
    except PermanentError as error:
        return error.what
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
