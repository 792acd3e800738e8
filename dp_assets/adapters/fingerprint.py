"""A stable name for the content of an Arrow table."""

import hashlib
import io

import pyarrow as pa
from typing_extensions import Buffer


def fingerprint(rows: pa.Table) -> str:
    """``sha256-columns-1:<hex>``: equal for the same columns, types, rows and order.

    Arrow leaves open what lies under a null and behind the last bit of a boolean, and engines leave
    there what they like. So each column is hashed as two: which rows have a value, and the values.
    """
    sink = _HashSink()
    for name in rows.column_names:
        column = rows.column(name)
        values = column.drop_null()
        if pa.types.is_boolean(values.type):
            values = values.cast(pa.uint8())
        present = column.is_valid().cast(pa.uint8())
        sink.write(f"{name}\0{column.type}\0{len(column)}\0".encode())
        for part in (present, values):
            _write(sink, part)
    return f"sha256-columns-1:{sink.digest.hexdigest()}"


def _write(sink: "_HashSink", column: pa.ChunkedArray) -> None:
    table = pa.Table.from_arrays([column], names=[""]).combine_chunks()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as stream:
        for batch in table.to_batches():
            if batch.num_rows:
                stream.write_batch(batch)


class _HashSink(io.RawIOBase):
    """A write-only file that keeps nothing but the SHA-256 of what passed."""

    def __init__(self) -> None:
        super().__init__()
        self.digest = hashlib.sha256()

    def write(self, data: Buffer, /) -> int:
        self.digest.update(data)
        return memoryview(data).nbytes

    def writable(self) -> bool:
        return True
