"""Deleted positions by PyIceberg's planning, each delete file read once whatever it applies to.

PyIceberg 0.12 reads the delete files of a data file with that data file, and filters all their rows
once for each file that they name. Without bounds of paths every delete file applies to every data
file of its partition: 1,000 data files with 100 delete files took minutes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa
from pyiceberg.io.pyarrow import _read_deletes
from pyiceberg.manifest import FileFormat
from pyiceberg.table.deletion_vector import deletion_vectors_from_puffin_file
from pyiceberg.table.puffin import PuffinFile
from pyroaring import BitMap64

from dp_assets.adapters.recovery.delete_positions import positions_in
from dp_assets.adapters.recovery.puffin_vectors import with_plain_footer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pyiceberg.io import FileIO
    from pyiceberg.manifest import DataFile
    from pyiceberg.table import FileScanTask


def deleted_positions(io: FileIO, tasks: Sequence[FileScanTask]) -> Mapping[str, BitMap64]:
    """By path of the data file; which delete file applies to which is PyIceberg's word."""
    by_path = {task.file.file_path: task for task in tasks}
    found: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    for delete in {delete for task in tasks for delete in task.delete_files}:
        for path, positions in _positions(io, delete).items():
            if path in by_path and delete in by_path[path].delete_files:
                found[path] |= positions
    return found


def as_arrow(positions: BitMap64) -> pa.ChunkedArray:
    """Positions as PyIceberg's readers want them."""
    held = positions.to_array()
    buffers = [None, pa.py_buffer(held)]
    return pa.chunked_array([pa.Array.from_buffers(pa.int64(), len(held), buffers)])


def _positions(io: FileIO, delete: DataFile) -> Mapping[str, BitMap64]:
    if delete.file_format == FileFormat.PUFFIN:
        with io.new_input(delete.file_path).open() as file:
            puffin = PuffinFile(with_plain_footer(file.read()))
        vectors = deletion_vectors_from_puffin_file(puffin)
        return {one.referenced_data_file: _as_bitmap(one.to_vector()) for one in vectors}
    if delete.file_format != FileFormat.PARQUET:
        return {path: _as_bitmap(rows) for path, rows in _read_deletes(io, delete).items()}
    with io.new_input(delete.file_path).open() as file:
        return positions_in(cast("IO[bytes]", file), delete.file_path, file_format="PARQUET")


def _as_bitmap(positions: pa.ChunkedArray) -> BitMap64:
    found = BitMap64()
    for chunk in positions.chunks:
        found.update(cast("list[int]", chunk.to_pylist()))
    return found
