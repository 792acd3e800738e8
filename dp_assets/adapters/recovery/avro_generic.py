"""Avro container files, read and rewritten without knowing what they are about.

Iceberg's manifests and manifest lists, and data files in Avro. A record is decoded with the
schema that its file carries, logical types removed: dates, decimals and uuids stay the integers
and bytes that they are stored as. So a partition in the year 12921 is no problem, and fields of
later format versions survive a rewrite. Header and sync marker are kept byte for byte.

Source: Avro specification 1.11, "Object Container Files".
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from fastavro import schemaless_reader, schemaless_writer

from dp_assets.adapters.recovery.avro_codecs import CODECS, Codec
from dp_assets.adapters.recovery.avro_schemas import decoding_schema
from dp_assets.adapters.recovery.avro_source import DAMAGE, AvroSource, coded, damaged
from dp_assets.core.errors import PermanentError
from dp_assets.ports.object_store import Reader

Record = dict[str, Any]

MAGIC = b"Obj\x01"
ENCRYPTED_MAGIC = b"AGS1"  # Iceberg's AES-GCM stream
SYNC_BYTES = 16
_END = b"\0"  # of an array
SORTED_BLOCK_RECORDS = 10_000
BLOCK_BYTES = 64_000  # as large as Java's writer makes them


@dataclass(frozen=True, slots=True)
class Container:
    """An open container, at its first block.

    Attributes:
        head: everything before the first block.
        metadata: the header's entries, ``avro.schema`` and Iceberg's own among them.
    """

    name: str
    head: bytes
    metadata: Mapping[str, bytes]
    _source: AvroSource
    _schema: Any
    _codec: Codec

    def blocks(self) -> Iterator[list[Record]]:
        """The records, about ``BLOCK_BYTES`` of them at a time; once.

        Some writers make a block of every record, which costs more than the records themselves.
        Raises PermanentError for damage.
        """
        sync, plain, held = self.head[-SYNC_BYTES:], bytearray(), 0
        while not self._source.at_end():
            count, size = self._source.long(), self._source.long()
            stored = self._source.exactly(size)
            if self._source.exactly(SYNC_BYTES) != sync:
                raise damaged(self.name, "a sync marker is wrong")
            held += self._inflate(plain, count, stored)
            if len(plain) >= BLOCK_BYTES:
                yield self._decode(held, plain)
                plain, held = bytearray(), 0
        if held:
            yield self._decode(held, plain)

    def records(self) -> Iterator[Record]:
        """All records; once. Raises PermanentError for damage."""
        for block in self.blocks():
            yield from block

    def encode(self, records: list[Record]) -> bytes:
        """``records`` as one block."""
        return self.block(len(records), self._plain(records))

    def plain(self, record: Record) -> bytes:
        """``record`` as it is inside a block."""
        return self._plain([record])

    def block(self, count: int, plain: bytes) -> bytes:
        """``count`` records, each as :meth:`plain` has it, as one block."""
        stored = self._codec.encode(plain)
        return coded(count) + coded(len(stored)) + stored + self.head[-SYNC_BYTES:]

    def _plain(self, records: list[Record]) -> bytes:
        written = io.BytesIO()
        schemaless_writer(written, self._schema, records)
        return written.getvalue()[len(coded(len(records))) : -len(_END)] if records else b""

    def _inflate(self, plain: bytearray, count: int, stored: bytes) -> int:
        """Add what is in a block to ``plain``; gives ``count``."""
        try:
            found = self._codec.decode(stored)
        except DAMAGE as error:
            raise damaged(self.name, f"a block cannot be decoded: {error!r}") from error
        # Every record of ours takes a byte at least.
        if not 0 <= count <= len(found) or (found and not count):
            raise damaged(self.name, f"a block says {count} records in {len(found)} bytes")
        plain += found
        return count

    def _decode(self, count: int, plain: bytearray) -> list[Record]:
        block = io.BytesIO(b"".join((coded(count), plain, _END)))
        try:
            records = cast("list[Record]", schemaless_reader(block, self._schema, None))
        except DAMAGE as error:
            raise damaged(self.name, f"a block cannot be decoded: {error!r}") from error
        # What is left over was read as more items, or the end of the array came early.
        if block.read(1) or len(records) != count:
            raise damaged(self.name, "a block has more bytes than records")
        return records


def open_container(source: bytes | Reader, *, name: str) -> Container:
    """The container in ``source``, whose blocks are read as they are asked for.

    Args:
        source: from its first byte.
        name: of the file, for errors.

    Raises:
        PermanentError: it is no Avro file, damaged, or of a codec that cannot be read here.
    """
    reader = AvroSource(io.BytesIO(source) if isinstance(source, bytes) else source, name)
    magic = reader.exactly(len(MAGIC))
    if magic == ENCRYPTED_MAGIC:
        raise PermanentError(
            f"{name} is encrypted", hint="tables with encrypted metadata cannot be read here"
        )
    if magic != MAGIC:
        raise damaged(name, "it does not begin as an Avro file does")
    metadata = reader.metadata()
    reader.exactly(SYNC_BYTES)
    codec = metadata.get("avro.codec", b"null").decode(errors="replace")
    if codec not in CODECS:
        known = ", ".join(filter(None, CODECS))
        raise PermanentError(f"{name} has the codec {codec!r}", hint=f"known codecs are {known}")
    return Container(
        name=name,
        head=reader.taken(),
        metadata=metadata,
        _source=reader,
        _schema=decoding_schema(metadata, name=name),
        _codec=CODECS[codec](),
    )


def records(source: bytes | Reader, *, name: str) -> Iterator[Record]:
    """The records of a container, a block in memory at a time. Raises PermanentError."""
    return open_container(source, name=name).records()


def rewrite(
    content: bytes,
    change: Callable[[Record], None],
    *,
    name: str,
    order: Callable[[Record], Any] | None = None,
) -> bytes:
    """The container with ``change`` made to each record, block by block.

    Args:
        content: the whole container.
        change: edits a record in place.
        name: of the file, for errors.
        order: a sort key for all records after the change; they are then all in memory.

    Raises:
        PermanentError: as :func:`open_container`.
    """
    container = open_container(content, name=name)
    written = io.BytesIO()
    written.write(container.head)
    blocks = _changed(container.blocks(), change)
    for block in blocks if order is None else _sorted(blocks, order):
        written.write(container.encode(block))
    return written.getvalue()


def _changed(
    blocks: Iterator[list[Record]], change: Callable[[Record], None]
) -> Iterator[list[Record]]:
    for block in blocks:
        for record in block:
            change(record)
        yield block


def _sorted(
    blocks: Iterator[list[Record]], order: Callable[[Record], Any]
) -> Iterator[list[Record]]:
    ordered = sorted((record for block in blocks for record in block), key=order)
    for start in range(0, len(ordered), SORTED_BLOCK_RECORDS):
        yield ordered[start : start + SORTED_BLOCK_RECORDS]
