"""Avro containers made byte by byte, by the specification."""

import io
import json
import zlib
from typing import Any

import pyarrow as pa
from fastavro import parse_schema, schemaless_writer

SYNC = bytes(range(16))
ENTRY: dict[str, Any] = {
    "type": "record",
    "name": "entry",
    "fields": [
        {"name": "path", "type": "string", "field-id": 100},
        {"name": "rows", "type": ["null", "long"], "default": None},
        {"name": "sizes", "type": {"type": "array", "items": "int"}, "unknown": [1]},
    ],
}
RECORDS: list[dict[str, Any]] = [
    {"path": f"/a/{n}.parquet", "rows": n or None, "sizes": [n] * n} for n in range(5)
]


def varint(value: int) -> bytes:
    coded, rest = bytearray(), (value << 1) ^ (value >> 63)
    while rest > 0x7F:
        coded.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*coded, rest])


def text(value: bytes) -> bytes:
    return varint(len(value)) + value


def pack(plain: bytes, codec: str) -> bytes:
    """``plain`` as the codec stores it."""
    if codec == "deflate":
        deflating = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflating.compress(plain) + deflating.flush()
    if codec == "zstandard":  # as a stream, so that the plain size is not in it
        out = pa.BufferOutputStream()
        with pa.CompressedOutputStream(out, "zstd") as stream:
            stream.write(plain)
        return out.getvalue().to_pybytes()
    if codec == "snappy":
        packed = pa.Codec("snappy").compress(plain, asbytes=True)
        return packed + zlib.crc32(plain).to_bytes(4, "big")
    return plain


def head(schema: Any = ENTRY, *, codec: str = "null", **more: str) -> bytes:
    """Magic, metadata in two map blocks, sync marker."""
    known = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    maps = b"".join(
        varint(len(entries))
        + b"".join(text(k.encode()) + text(v.encode()) for k, v in entries.items())
        for entries in (known, more)
        if entries
    )
    return b"Obj\x01" + maps + varint(0) + SYNC


def block(
    records: list[Any], schema: Any = ENTRY, *, codec: str = "null", count: int | None = None
) -> bytes:
    plain = io.BytesIO()
    for record in records:
        schemaless_writer(plain, parse_schema(schema), record)
    stored = pack(plain.getvalue(), codec)
    return varint(len(records) if count is None else count) + text(stored) + SYNC


def container(*blocks: list[Any], schema: Any = ENTRY, codec: str = "null", **more: str) -> bytes:
    """A whole file, one block per list of records."""
    made = (block(records, schema, codec=codec) for records in blocks)
    return head(schema, codec=codec, **more) + b"".join(made)
