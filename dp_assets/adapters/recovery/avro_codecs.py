"""The codecs of Avro container files; what comes out of a damaged block is bounded.

Deflate is zlib's, zstandard and snappy are pyarrow's. Source: Avro specification, "Required
Codecs" and "Optional Codecs".
"""

import zlib
from abc import ABC, abstractmethod

import pyarrow as pa

# Writers end a block near 64 kB, some of them only at the end of the file.
MAX_BLOCK_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 20
_RAW_DEFLATE = -15
_CRC_BYTES = 4
_VARINT_BYTES = 5


class Codec(ABC):
    """How the blocks of a container are stored."""

    @abstractmethod
    def decode(self, stored: bytes) -> bytes:
        """A block's records. Raises ValueError, OSError or zlib.error for damaged bytes."""

    @abstractmethod
    def encode(self, plain: bytes) -> bytes:
        """The way back."""


class Null(Codec):
    """Stored as it is."""

    def decode(self, stored: bytes) -> bytes:
        return stored

    def encode(self, plain: bytes) -> bytes:
        return plain


class Deflate(Codec):
    """RFC 1951, without zlib's header and checksum."""

    def decode(self, stored: bytes) -> bytes:
        inflating = zlib.decompressobj(_RAW_DEFLATE)
        plain = inflating.decompress(stored, MAX_BLOCK_BYTES)
        if not inflating.eof:
            raise ValueError("its deflated data is cut or larger than a block may be")
        return plain

    def encode(self, plain: bytes) -> bytes:
        deflating = zlib.compressobj(wbits=_RAW_DEFLATE)
        return deflating.compress(plain) + deflating.flush()


class Zstandard(Codec):
    """Zstandard frames; many writers leave the plain size out, so it is read as a stream."""

    def decode(self, stored: bytes) -> bytes:
        plain = bytearray()
        with pa.CompressedInputStream(pa.BufferReader(stored), "zstd") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                plain += chunk
                _require_bounded(len(plain))
        return bytes(plain)

    def encode(self, plain: bytes) -> bytes:
        return pa.Codec("zstd").compress(plain, asbytes=True)


class Snappy(Codec):
    """Snappy, followed by the CRC-32 of the plain bytes."""

    def decode(self, stored: bytes) -> bytes:
        packed, crc = stored[:-_CRC_BYTES], stored[-_CRC_BYTES:]
        # A wrong size would leave pyarrow's buffer partly unwritten, so it comes from the data.
        size = _snappy_size(packed)
        plain = pa.Codec("snappy").decompress(packed, decompressed_size=size, asbytes=True)
        if zlib.crc32(plain).to_bytes(_CRC_BYTES, "big") != crc:
            raise ValueError("its checksum is wrong")
        return plain

    def encode(self, plain: bytes) -> bytes:
        packed = pa.Codec("snappy").compress(plain, asbytes=True)
        return packed + zlib.crc32(plain).to_bytes(_CRC_BYTES, "big")


CODECS: dict[str, type[Codec]] = {
    "": Null,
    "null": Null,
    "deflate": Deflate,
    "zstandard": Zstandard,
    "snappy": Snappy,
}


def _require_bounded(size: int) -> None:
    if size > MAX_BLOCK_BYTES:
        raise ValueError(f"it is larger than the {MAX_BLOCK_BYTES} bytes that a block may have")


def _snappy_size(packed: bytes) -> int:
    """The plain size, an unsigned varint at the start."""
    size = 0
    for index, byte in enumerate(packed[:_VARINT_BYTES]):
        size |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            _require_bounded(size)
            return size
    raise ValueError("its snappy data has no size")
