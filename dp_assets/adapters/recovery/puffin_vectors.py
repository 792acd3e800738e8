"""Deletion vectors out of a Puffin file: length, magic, checksum and cardinality checked.

Source: Puffin specification, "File structure" and "deletion-vector-v1 blob type".
"""

import io
import json
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import IO, Any

import pyarrow as pa
from pyroaring import BitMap64

from dp_assets.adapters.objects.seekable_copy import seekable_copy
from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.ports.lake_files import LakeFiles

MAGIC = b"PFA1"
VECTOR_MAGIC = b"\xd1\xd3\x39\x64"
MAX_VECTOR_BYTES = 1 << 31  # its length is a signed 32-bit number
MAX_FOOTER_BYTES = 1 << 26
_COMPRESSED = 1  # bit 0 of the flags: the payload is one LZ4 frame
_LENGTH_BYTES = 4
_CRC_BYTES = 4
_DAMAGE = (
    pa.ArrowException,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a vector is in its file, and how many positions it has, as the manifest says."""

    offset: int
    length: int
    records: int


@dataclass(frozen=True, slots=True)
class Vector:
    """Deleted positions, and the data file that the Puffin footer says they are of.

    An engine that goes by the footer finds other rows than one that goes by the manifest when
    the two differ. ``footer_path`` is "" when the footer says nothing.
    """

    positions: BitMap64
    footer_path: str


def read_vectors(
    files: LakeFiles, path: str, *, places: Collection[Place]
) -> Mapping[Place, Vector]:
    """The vectors at ``places`` of the Puffin file at ``path``, which is read once.

    Raises:
        MissingObjectError: it is gone.
        PermanentError: it is damaged, or a vector is not what the manifest says.
    """
    with seekable_copy(files, path) as file:
        try:
            named = _footer_paths(file)
            return {p: Vector(_positions(file, p), named.get(p.offset, "")) for p in places}
        except _DAMAGE as error:
            raise damaged(path, str(error) or repr(error)) from error


def with_plain_footer(content: bytes) -> bytes:
    """A Puffin file whose footer PyIceberg reads, too: 0.12 refuses one that is compressed.

    Raises ValueError, or what PyArrow raises, for a footer that is not as it should be.
    """
    file = io.BytesIO(content)
    start, payload, is_compressed = _payload(file)
    if not is_compressed:
        return content
    end = struct.pack("<i4x", len(payload)) + MAGIC
    return content[:start] + payload + end


def _positions(file: IO[bytes], place: Place) -> BitMap64:
    """Length (big-endian), magic, bitmap, CRC-32 (big-endian) of magic and bitmap."""
    if not 0 <= place.length <= MAX_VECTOR_BYTES or place.offset < len(MAGIC):
        raise ValueError(f"a vector of {place.length} bytes at {place.offset}")
    file.seek(place.offset)
    blob = file.read(place.length)
    body, crc = blob[_LENGTH_BYTES:-_CRC_BYTES], blob[-_CRC_BYTES:]
    if len(blob) != place.length or blob[:_LENGTH_BYTES] != struct.pack(">I", len(body)):
        raise ValueError(f"the vector at {place.offset} has the wrong length")
    if not body.startswith(VECTOR_MAGIC) or zlib.crc32(body) != int.from_bytes(crc, "big"):
        raise ValueError(f"the vector at {place.offset} has a wrong checksum")
    positions = BitMap64.deserialize(body[len(VECTOR_MAGIC) :])
    if len(positions) != place.records:
        raise ValueError(
            f"the vector at {place.offset} deletes {len(positions)} rows, "
            f"its manifest says {place.records}"
        )
    return positions


def _footer_paths(file: IO[bytes]) -> dict[int, str]:
    """The data files that blobs are about, by offset of the blob."""
    return {
        int(blob["offset"]): str(blob.get("properties", {}).get("referenced-data-file", ""))
        for blob in _footer(file)["blobs"]
    }


def _footer(file: IO[bytes]) -> Any:
    _, payload, _ = _payload(file)
    return json.loads(payload)


def _payload(file: IO[bytes]) -> tuple[int, bytes, bool]:
    """Of the footer: where it begins, what it says, and whether it is compressed in the file.

    Magic, payload, its size (little-endian), flags, magic; at the end of the file.
    """
    end = 2 * _LENGTH_BYTES + len(MAGIC)
    total = file.seek(0, 2)
    file.seek(max(total - end, 0))
    size, flags, magic = struct.unpack("<i4s4s", file.read(end))
    start = total - end - size
    if magic != MAGIC or not 0 <= size <= MAX_FOOTER_BYTES or start < 2 * len(MAGIC):
        raise ValueError("it does not end as a Puffin file does")
    file.seek(start - len(MAGIC))
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("its footer does not begin as it should")
    payload = file.read(size)
    is_compressed = bool(flags[0] & _COMPRESSED)
    if is_compressed:
        with pa.CompressedInputStream(pa.BufferReader(payload), "lz4") as stream:
            payload = stream.read(MAX_FOOTER_BYTES)
    return start, payload, is_compressed
