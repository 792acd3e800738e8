"""The bytes of an Avro file in order: exact numbers of them, nothing absurd believed."""

import struct
import zlib

from fastavro.schema import SchemaParseException

from dp_assets.adapters.recovery.avro_codecs import MAX_BLOCK_BYTES
from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import CHUNK_BYTES, Reader

HINT = "put the file back from a recovery point: 'dp repair'"
_VARINT_BITS = 70
# What fastavro, zlib and pyarrow raise for bytes that are not what the schema says.
DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RecursionError,
    SchemaParseException,
    StopIteration,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def damaged(name: str, what: str) -> PermanentError:
    """The error for bytes that are not what they should be."""
    return PermanentError(f"{name} is damaged: {what}", hint=HINT)


class AvroSource:
    """Takes exact numbers of bytes; what is cut short or absurd is damage, and never allocated."""

    def __init__(self, reader: Reader, name: str) -> None:
        self._reader = reader
        self._name = name
        self._head: bytearray | None = bytearray()
        self._ahead = b""

    def exactly(self, size: int) -> bytes:
        if not 0 <= size <= MAX_BLOCK_BYTES:
            raise damaged(self._name, f"it says that {size} bytes follow")
        data, self._ahead = bytearray(self._ahead[:size]), self._ahead[size:]
        while len(data) < size:
            chunk = self._reader.read(min(size - len(data), CHUNK_BYTES))
            if not chunk:
                raise damaged(self._name, "it is cut short")
            data += chunk
        if self._head is not None:
            self._head += data
        return bytes(data)

    def long(self) -> int:
        value = shift = 0
        while shift < _VARINT_BITS:
            byte = self.exactly(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise damaged(self._name, "a number has no end")

    def at_end(self) -> bool:
        self._ahead = self._ahead or self._reader.read(1)
        return not self._ahead

    def metadata(self) -> dict[str, bytes]:
        """The map of bytes in the header."""
        found: dict[str, bytes] = {}
        while count := self.long():
            if count < 0:  # the size in bytes follows
                self.long()
            for _ in range(abs(count)):
                key = self.exactly(self.long()).decode(errors="replace")
                found[key] = self.exactly(self.long())
        return found

    def taken(self) -> bytes:
        """Everything taken so far; nothing is kept from here on."""
        head, self._head = bytes(self._head or b""), None
        return head


def coded(value: int) -> bytes:
    """A count or size, never negative, in the zigzag coding that :meth:`AvroSource.long` reads."""
    rest, coded = value << 1, bytearray()
    while rest > 0x7F:
        coded.append(rest & 0x7F | 0x80)
        rest >>= 7
    coded.append(rest)
    return bytes(coded)
