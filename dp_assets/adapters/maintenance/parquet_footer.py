"""Where the footer of a Parquet file lies. Source: parquet-format, "File format"."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from dp_assets.adapters.recovery.avro_source import damaged

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"PAR1"
TAIL = struct.Struct("<I4s")  # length of the footer, magic


def raw_footer(file: BinaryIO, path: Path) -> tuple[int, bytes]:
    """Where the footer begins, and its bytes in Thrift's compact protocol.

    Args:
        file: open for reading.
        path: of the file, for the error.

    Raises:
        PermanentError: it is no Parquet file.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - TAIL.size))
    tail = file.read()
    length, magic = TAIL.unpack(tail) if len(tail) == TAIL.size else (0, b"")
    start = size - TAIL.size - length
    if magic != MAGIC or start < len(MAGIC):
        raise damaged(str(path), "it is not a plain Parquet file")
    file.seek(start)
    return start, file.read(length)
