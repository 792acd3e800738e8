"""Rows that equality deletes delete, as positions in their files: for the proof, by PyArrow alone.

The rewrite applies the same deletes in SQL; nothing is shared with it. Keys are compared as dense
numbers, a part of them at a time, so that memory stays bounded however many there are.

Source: Iceberg table specification, "Equality Delete Files", "Scan Planning".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import FileScanTask
from pyroaring import BitMap64

from dp_assets.adapters.recovery.pyiceberg_large import large_file_batches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pyiceberg.manifest import DataFile
    from pyiceberg.table import Table

KEYS_AT_ONCE = 500_000
PIECE_ROWS, PIECE_BYTES = 131_072, 16 << 20  # whichever comes first


@dataclass(frozen=True, slots=True)
class NumberedFile:
    """A data file or an equality delete file with the sequence number of its data."""

    file: DataFile
    number: int


def equality_positions(
    table: Table, data: Sequence[NumberedFile], deletes: Sequence[NumberedFile]
) -> Mapping[str, BitMap64]:
    """Positions of deleted rows by path; files without any are left out.

    Args:
        table: whose files they are.
        data: data files of one partition.
        deletes: equality deletes of that partition, or of none.
    """
    found: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    alike: defaultdict[tuple[int, ...], list[NumberedFile]] = defaultdict(list)
    for delete in deletes:
        alike[tuple(sorted(delete.file.equality_ids or ()))].append(delete)
    for ids, ones in alike.items():
        columns = _columns(table, ids)
        for keys in _keys(table, ones, columns):
            for one in data:
                if one.number < keys.newest:
                    found[one.file.file_path] |= _positions(table, one, keys, columns)
    return {path: positions for path, positions in found.items() if positions}


@dataclass(frozen=True)
class DeletedKeys:
    """Keys, each with the number of its newest delete.

    Attributes:
        columns: the values that some key has in each column, null among them.
        pairs: the numbers of the pairs that occur of a column with all those before it.
        numbers: of the newest delete, by the number of the key.
    """

    columns: tuple[pa.Array, ...]
    pairs: tuple[pa.Array, ...]
    numbers: pa.Array

    @cached_property
    def newest(self) -> int:
        return pc.max(self.numbers).as_py() or 0

    @staticmethod
    def of(keys: Sequence[pa.Array], numbers: pa.Array) -> DeletedKeys:
        """Of columns, and of the number of each row's delete."""
        columns = tuple(pc.unique(column) for column in keys)
        pairs: list[pa.Array] = []
        at = pc.index_in(keys[0], value_set=columns[0])
        for column, values in zip(keys[1:], columns[1:], strict=True):
            both = _paired(at, column, values)
            pairs.append(pc.unique(both))
            at = pc.index_in(both, value_set=pairs[-1])
        grouped = pa.table({"key": at, "number": numbers}).group_by("key")
        newest = grouped.aggregate([("number", "max")]).sort_by("key")
        return DeletedKeys(columns, tuple(pairs), newest["number_max"].combine_chunks())

    def of_rows(self, keys: Sequence[pa.Array]) -> pa.Array:
        """The number of the newest delete of each row; null where none is of its key."""
        at = pc.index_in(keys[0], value_set=self.columns[0])
        for column, values, pairs in zip(keys[1:], self.columns[1:], self.pairs, strict=True):
            at = pc.index_in(_paired(at, column, values), value_set=pairs)
        return self.numbers.take(at)


def _paired(before: pa.Array, column: pa.Array, values: pa.Array) -> pa.Array:
    """One number for two; null where a value is none of ``values``."""
    shifted = pc.multiply(before.cast(pa.int64()), len(values))
    return pc.add(shifted, pc.index_in(column, value_set=values).cast(pa.int64()))


def _columns(table: Table, ids: Sequence[int]) -> Schema:
    """The compared columns, which the table may not have any more, as they were typed last."""
    schemas = [s for _, s in sorted(table.schemas().items())]
    known = {field.field_id: field for one in (*schemas, table.schema()) for field in one.fields}
    return Schema(*(known[i].model_copy(update={"required": False}) for i in ids))


def _keys(table: Table, deletes: Sequence[NumberedFile], columns: Schema) -> Iterator[DeletedKeys]:
    waiting: list[tuple[list[pa.Array], pa.Array]] = []
    rows = 0
    for delete in deletes:
        for piece in _pieces(table, delete.file, columns):
            waiting.append((piece, pa.repeat(pa.scalar(delete.number, pa.int64()), len(piece[0]))))
            rows += len(piece[0])
            if rows >= KEYS_AT_ONCE:
                yield _joined(waiting)
                waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(waiting: Sequence[tuple[list[pa.Array], pa.Array]]) -> DeletedKeys:
    keys = [pa.concat_arrays(ones) for ones in zip(*(keys for keys, _ in waiting), strict=True)]
    return DeletedKeys.of(keys, pa.concat_arrays([numbers for _, numbers in waiting]))


def _positions(table: Table, one: NumberedFile, keys: DeletedKeys, columns: Schema) -> BitMap64:
    found = BitMap64()
    start = 0
    for piece in _pieces(table, one.file, columns):
        is_deleted = pc.greater(keys.of_rows(piece), pa.scalar(one.number, pa.int64()))
        deleted = pc.add(pc.indices_nonzero(is_deleted), pa.scalar(start, pa.uint64()))
        found.update(cast("list[int]", deleted.to_pylist()))
        start += len(piece[0])
    return found


def _pieces(table: Table, file: DataFile, columns: Schema) -> Iterator[list[pa.Array]]:
    """All rows of a file, deleted ones included, in their order: an array per column."""
    target = schema_to_pyarrow(columns, include_field_ids=False)
    batches = large_file_batches(table, FileScanTask(file), columns, None)
    for piece in _gathered(batches):
        yield [_stored(column.combine_chunks()) for column in piece.cast(target).columns]


def _gathered(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Several batches of a file at a time, since every look-up makes a table of all keys first."""
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        waiting.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= PIECE_ROWS or size >= PIECE_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)


def _stored(column: pa.Array) -> pa.Array:
    """PyArrow looks nothing up among uuids, but among their bytes."""
    return column.storage if isinstance(column, pa.ExtensionArray) else column
