"""Row ids of the model's table: each live row's own, by the files and the places in them.

Neither PyIceberg 0.12 nor DuckDB shows them, so they are read as the specification says; a row
keeps its id and the number of the commit that wrote it, whatever maintenance does.

Source: Iceberg table specification, "Row Lineage", "Deletion Vectors".
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq
from pyroaring import BitMap64

from dp_assets.adapters.objects.lake_files import LocalLakeFiles
from dp_assets.adapters.recovery.delete_positions import deleted_positions
from dp_assets.adapters.recovery.iceberg_closure import read_closure
from dp_assets.adapters.recovery.puffin_vectors import Place, read_vectors
from dp_assets.domains.maintenance.heads import Head, Placed, VectorId, head_of
from dp_assets.ports.closure import LiveEntry, TableClosure, one_spelling
from dp_assets.ports.live_files import LiveFile, may_apply
from dp_assets.ports.recovery import FileKind, History

FILES = LocalLakeFiles()
ROW_ID, LAST_UPDATED = 2147483540, 2147483539
FIELD_ID = b"PARQUET:field_id"
Ids = tuple[int | None, int | None]  # row id, number of the commit


@dataclass(frozen=True)
class FileRows:
    """A live data file.

    Attributes:
        numbers: of its rows, dead ones too, in their places.
        gone: places of dead rows.
        vector: which is the one that says so, if one does.
    """

    entry: LiveEntry
    numbers: list[int]
    ids: list[Ids]
    gone: BitMap64
    vector: VectorId | None

    def live(self) -> Iterator[tuple[int, Ids]]:
        pairs = zip(self.numbers, self.ids, strict=True)
        yield from (pair for at, pair in enumerate(pairs) if at not in self.gone)


def closure_at(pointer: str, history: History = History.CURRENT) -> TableClosure:
    return read_closure(FILES, pointer, history=history)


def file_rows(closure: TableClosure, snapshot_id: int | None = None) -> list[FileRows]:
    """The data files of the head, or of another snapshot."""
    head = head_of(closure, snapshot_id)
    gone, vectors = _gone(head)
    return [_file(placed.entry, gone, vectors) for placed in head.data.values()]


def lineage(closure: TableClosure, snapshot_id: int | None = None) -> dict[int, Ids]:
    """Of each live row of a snapshot.

    Raises AssertionError for an id that two rows have, or that nobody gave yet.
    """
    found = {number: ids for file in file_rows(closure, snapshot_id) for number, ids in file.live()}
    given = [row_id for row_id, _ in found.values()]
    assert len(set(given)) == len(given), f"a row id is there twice: {sorted(found.items())}"
    late = [row_id for row_id in given if row_id is None or row_id >= _next_row_id(closure)]
    assert late == [], late
    return found


def _next_row_id(closure: TableClosure) -> int:
    return closure.metadata["next-row-id"]


def _file(
    entry: LiveEntry, gone: Mapping[str, BitMap64], vectors: Mapping[str, VectorId]
) -> FileRows:
    rows = pq.ParquetFile(one_spelling(entry.path)).read()
    count = rows.num_rows
    said: dict[int, list[Any]] = {
        int((f.metadata or {})[FIELD_ID]): rows[f.name].to_pylist() for f in rows.schema
    }
    nothing: list[int | None] = [None] * count
    first, number = entry.first_row_id, entry.sequence_number
    ids = [
        (
            own if own is not None or first is None else first + at,
            last if last is not None or first is None else number,
        )
        for at, (own, last) in enumerate(
            zip(said.get(ROW_ID, nothing), said.get(LAST_UPDATED, nothing), strict=True)
        )
    ]
    return FileRows(entry, said[1], ids, gone.get(entry.path, BitMap64()), vectors.get(entry.path))


def _gone(head: Head) -> tuple[dict[str, BitMap64], dict[str, VectorId]]:
    """Dead places by data file; a vector takes the place of older position deletes."""
    gone: defaultdict[str, BitMap64] = defaultdict(BitMap64)
    vectors: dict[str, VectorId] = {}
    for delete in head.deletes:
        entry = delete.entry
        if entry.kind is FileKind.POSITION_DELETES:
            found = deleted_positions(FILES, entry.path, file_format=entry.format)
            for path in set(found) & set(head.data):
                if may_apply(_live(delete), _live(head.data[path])):
                    gone[path] |= found[path]
    for delete in head.deletes:
        entry = delete.entry
        if entry.kind is FileKind.DELETION_VECTORS and entry.referenced in head.data:
            assert entry.referenced not in vectors, f"two vectors of {entry.referenced}"
            place = Place(entry.offset, entry.length, entry.records)
            gone[entry.referenced] = read_vectors(FILES, entry.path, places=[place])[
                place
            ].positions
            vectors[entry.referenced] = delete.identity
    return dict(gone), vectors


def _live(placed: Placed) -> LiveFile:
    return LiveFile(placed.entry, placed.scope[0])
