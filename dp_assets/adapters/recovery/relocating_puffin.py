"""Deletion vectors for data files that have moved: the blobs stay, the footer is written anew.

Blobs keep their offsets, so what a manifest says of them stays true; only the file's size changes.
Source: Iceberg's Puffin specification, "File structure" and "deletion-vector-v1".
"""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import CHUNK_BYTES

MAGIC = b"PFA1"
REFERENCED = "referenced-data-file"
_COMPRESSED = 1  # bit 0 of the flags: the payload is one LZ4 frame
_END_BYTES = 12  # size of the payload, flags, magic


def rewrite_puffin(source: Path, target: Path, *, to: Callable[[str], str]) -> int:
    """Write ``source`` to ``target`` with the data files that its blobs name mapped by ``to``.

    Returns the new size in bytes. Raises PermanentError when it is no Puffin file.
    """
    with source.open("rb") as file, target.open("wb") as out:
        start, footer = _footer(file, source)
        for blob in footer.get("blobs") or ():
            properties = blob.get("properties") or {}
            if REFERENCED in properties:
                properties[REFERENCED] = to(properties[REFERENCED])
        file.seek(0)
        _copy(file, out, start)
        payload = json.dumps(footer, separators=(",", ":"), ensure_ascii=False).encode()
        out.write(payload + struct.pack("<i", len(payload)) + bytes(4) + MAGIC)
        return out.tell()


def _footer(file: BinaryIO, source: Path) -> tuple[int, dict[str, Any]]:
    """Where the payload starts, and what it says."""
    length = file.seek(0, 2)
    if length < len(MAGIC) * 3 + 8:
        raise _not_puffin(source)
    file.seek(length - _END_BYTES)
    size, flags, magic = struct.unpack("<i4s4s", file.read(_END_BYTES))
    start = length - _END_BYTES - size
    if magic != MAGIC or size < 0 or start < 2 * len(MAGIC):
        raise _not_puffin(source)
    file.seek(start - len(MAGIC))
    if file.read(len(MAGIC)) != MAGIC:
        raise _not_puffin(source)
    payload = file.read(size)
    if flags[0] & _COMPRESSED:
        payload = pa.input_stream(pa.py_buffer(payload), compression="lz4").read()
    try:
        return start, json.loads(payload)
    except ValueError as error:
        raise _not_puffin(source) from error


def _copy(file: BinaryIO, out: BinaryIO, size: int) -> None:
    while size:
        data = file.read(min(size, CHUNK_BYTES))
        size -= out.write(data)


def _not_puffin(source: Path) -> PermanentError:
    return PermanentError(
        f"{source.name} is no Puffin file", hint="the table can be restored in place: 'dp undrop'"
    )
