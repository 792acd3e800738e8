"""Delete files made for tests, by the specification, in every format."""

import io
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import orc
from pyroaring import BitMap64

from dp_assets_tests.adapters.avro_files import container

Pairs = Iterable[tuple[str | None, int | None]]
POSITION = {
    "type": "record",
    "name": "pos_delete",
    "fields": [{"name": "file_path", "type": "string"}, {"name": "pos", "type": "long"}],
}


def rows_of(pairs: Pairs) -> pa.Table:
    listed = list(pairs)
    return pa.table(
        {
            "file_path": pa.array([path for path, _ in listed], pa.string()),
            "pos": pa.array([position for _, position in listed], pa.int64()),
        }
    )


def parquet_deletes(pairs: Pairs, **options: Any) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows_of(pairs), out, **options)
    return out.getvalue()


def orc_deletes(pairs: Pairs) -> bytes:
    out = pa.BufferOutputStream()
    orc.write_table(rows_of(pairs), out, stripe_size=1024)
    return out.getvalue().to_pybytes()


def avro_deletes(pairs: Pairs) -> bytes:
    records = [{"file_path": path, "pos": position} for path, position in pairs]
    return container(records[:3], records[3:], schema=POSITION, codec="deflate")


MADE = {"PARQUET": parquet_deletes, "ORC": orc_deletes, "AVRO": avro_deletes}


def vector(positions: Iterable[int]) -> bytes:
    """A deletion vector's blob."""
    body = b"\xd1\xd3\x39\x64" + BitMap64(list(positions)).serialize()
    return struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))


def puffin(blobs: Mapping[str, bytes], *, compressed: bool = False) -> tuple[bytes, list[int]]:
    """A Puffin file with a blob per data file, and where each begins."""
    content, offsets = b"PFA1", []
    for blob in blobs.values():
        offsets.append(len(content))
        content += blob
    listed = [
        {
            "type": "deletion-vector-v1",
            "fields": [2147483545],
            "snapshot-id": -1,
            "sequence-number": -1,
            "offset": offset,
            "length": len(blob),
            "properties": {"referenced-data-file": path},
        }
        for (path, blob), offset in zip(blobs.items(), offsets, strict=True)
    ]
    payload = json.dumps({"blobs": listed}).encode()
    if compressed:
        payload = pa.Codec("lz4").compress(payload, asbytes=True)
    end = struct.pack("<i4s", len(payload), bytes([compressed, 0, 0, 0]))
    return content + b"PFA1" + payload + end + b"PFA1", offsets
