"""Which rows a position delete file deletes: the positions in each data file that it names.

Positions are kept as roaring bitmaps whatever the file is: a table upgraded to deletion vectors
compares equal, and memory follows what is deleted, not how it is written down.

Source: Iceberg table specification, "Position Delete Files".
"""

import hashlib
import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping
from io import IOBase
from itertools import islice
from typing import IO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import orc
from pyroaring import BitMap64

from dp_assets.adapters.objects.seekable_copy import seekable_copy
from dp_assets.adapters.recovery.avro_generic import records
from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.core.errors import PermanentError
from dp_assets.ports.lake_files import LakeFiles
from dp_assets.ports.object_store import CHUNK_BYTES

COLUMNS = ["file_path", "pos"]
_BATCH_ROWS = 1 << 16
_HASHED_AT_ONCE = 1 << 16
# pyarrow raises OSError for damaged pages, ValueError for what it cannot make sense of.
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError)


def deleted_positions(files: LakeFiles, path: str, *, file_format: str) -> Mapping[str, BitMap64]:
    """The positions that a position delete file deletes, by data file as spelled in it.

    Args:
        files: where it is.
        path: of the delete file.
        file_format: as its manifest says: ``PARQUET``, ``AVRO`` or ``ORC``.

    Raises:
        MissingObjectError: it is gone.
        PermanentError: it is damaged, or its format is not known.
    """
    if file_format not in READERS:
        raise PermanentError(
            f"{path}: position deletes in {file_format} cannot be read",
            hint=f"known are {', '.join(READERS)}",
        )
    with seekable_copy(files, path) as file:
        try:
            return positions_in(file, path, file_format=file_format)
        except _DAMAGE as error:
            raise damaged(path, repr(error)) from error


def positions_in(file: IO[bytes], path: str, *, file_format: str) -> Mapping[str, BitMap64]:
    """As :func:`deleted_positions`, of an open file; raises what its reader raises."""
    found: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    READERS[file_format](file, path, found)
    return found


def positions_sha256(positions: BitMap64) -> str:
    """Of the positions in ascending order, 8 bytes each, little-endian."""
    digest = hashlib.sha256()
    ascending = iter(positions)
    while chunk := array("Q", islice(ascending, _HASHED_AT_ONCE)):
        if sys.byteorder == "big":
            chunk.byteswap()
        digest.update(chunk)
    return digest.hexdigest()


def _read_parquet(file: IO[bytes], path: str, found: dict[str, BitMap64]) -> None:
    del path
    with pq.ParquetFile(file, buffer_size=CHUNK_BYTES) as parquet:
        for batch in parquet.iter_batches(batch_size=_BATCH_ROWS, columns=COLUMNS):
            _add_batch(batch, found)


def _read_orc(file: IO[bytes], path: str, found: dict[str, BitMap64]) -> None:
    del path
    source = orc.ORCFile(pa.PythonFile(cast("IOBase", file), mode="r"))
    for stripe in range(source.nstripes):
        _add_batch(source.read_stripe(stripe, columns=COLUMNS), found)


def _read_avro(file: IO[bytes], path: str, found: dict[str, BitMap64]) -> None:
    for record in records(file, name=path):
        found[record["file_path"]].add(record["pos"])


READERS: dict[str, Callable[[IO[bytes], str, dict[str, BitMap64]], None]] = {
    "PARQUET": _read_parquet,
    "AVRO": _read_avro,
    "ORC": _read_orc,
}


def _add_batch(batch: pa.RecordBatch, found: dict[str, BitMap64]) -> None:
    """Add the rows; those of one data file stand together, as the specification wants them."""
    paths = batch.column("file_path").cast(pa.string()).dictionary_encode()
    positions = batch.column("pos").cast(pa.uint64())  # a negative one is refused
    if paths.null_count or positions.null_count:
        raise ValueError("a path or position is null")
    names = paths.dictionary.to_pylist()
    values = _values(positions)
    runs = pc.call_function("run_end_encode", [paths.indices])
    start = 0
    for end, index in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        found[names[index]].update(values[start:end])
        start = end


def _values(positions: pa.Array) -> "array[int]":
    held = array("Q")
    buffer = positions.buffers()[1]
    if buffer is not None:
        held.frombytes(buffer[: (positions.offset + len(positions)) * held.itemsize])
    return held[positions.offset :]
