"""Where things are in a Parquet file, and what is to be changed when they move.

Source: parquet-format, ``parquet.thrift``: ColumnMetaData, OffsetIndex, PageLocation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.maintenance.parquet_footer import MAGIC
from dp_assets.adapters.maintenance.row_group_footer import (
    COMPRESSED_SIZE,
    DATA_PAGE,
    DICTIONARY_PAGE,
    INDEX_PAGE,
    Footer,
    chunks_of,
    column_of,
)
from dp_assets.adapters.maintenance.thrift_compact import I64, Items, Reader, Struct, Writer
from dp_assets.adapters.recovery.avro_source import damaged

if TYPE_CHECKING:
    from typing import BinaryIO

OFFSETS = (DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE)
# OffsetIndex, PageLocation
_LOCATIONS, _PAGE_OFFSET = 1, 1


def extent(footer: Footer, row_group: Struct) -> tuple[int, int]:
    """Where the pages of a row group begin and end. Raises PermanentError if that cannot be."""
    starts: list[int] = []
    ends: list[int] = []
    for chunk in chunks_of(row_group):
        column = column_of(chunk)
        first = min((o for o in (column.get(p, (0, 0))[1] for p in OFFSETS) if o), default=0)
        starts.append(first)
        ends.append(first + column[COMPRESSED_SIZE][1])
    start, end = min(starts), max(ends)
    if not len(MAGIC) <= start < end <= footer.start:
        raise damaged(str(footer.path), "its footer names pages outside of it")
    return start, end


def read_index(source: BinaryIO, footer: Footer, offset: int, size: int) -> bytes:
    """A page index or bloom filter. Raises PermanentError where there can be none."""
    if not len(MAGIC) <= offset <= offset + size <= footer.start:
        raise damaged(str(footer.path), "its footer names an index outside of it")
    source.seek(offset)
    return source.read(size)


def move(values: Struct, place: int, shift: int) -> None:
    """Add to an offset of a struct; 0 stands for none."""
    kind, offset = values.get(place, (I64, 0))
    if offset:
        values[place] = kind, offset + shift


def moved_pages(content: bytes, shift: int, *, name: str) -> bytes:
    """An offset index of pages that are ``shift`` bytes further."""
    try:
        index = Reader(content).struct()
    except (IndexError, ValueError) as error:
        raise damaged(name, f"its offset index cannot be read: {error!r}") from error
    locations: Items = index[_LOCATIONS][1]
    for location in locations.values:
        move(location, _PAGE_OFFSET, shift)
    writer = Writer()
    writer.struct(index)
    return bytes(writer.content)
