"""Row groups of several Parquet files in one, byte for byte; only footer and page index are new.

What has offsets in it is moved: footer, offset index. What has none (column index, bloom filters)
is copied. Words of the writer about a whole file stay when all inputs say the same.

Source: parquet-format, ``parquet.thrift``, ``PageIndex.md``, ``BloomFilter.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from dp_assets.adapters.maintenance.parquet_footer import MAGIC, TAIL
from dp_assets.adapters.maintenance.plain_integers import remove_annotations
from dp_assets.adapters.maintenance.row_group_footer import (
    BLOOM_FILTER,
    BLOOM_FILTER_LENGTH,
    CHUNK_OFFSET,
    COLUMN_INDEX,
    COLUMN_INDEX_LENGTH,
    KEY_VALUES,
    OFFSET_INDEX,
    OFFSET_INDEX_LENGTH,
    ORDINAL,
    RG_OFFSET,
    RG_ROWS,
    ROW_GROUPS,
    ROWS,
    Footer,
    chunks_of,
    column_of,
    list_of,
)
from dp_assets.adapters.maintenance.row_group_offsets import (
    OFFSETS,
    extent,
    move,
    moved_pages,
    read_index,
)
from dp_assets.adapters.maintenance.thrift_compact import (
    I16,
    I32,
    I64,
    LIST,
    Items,
    Struct,
    Writer,
)
from dp_assets.adapters.recovery.avro_source import damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dp_assets.adapters.maintenance.new_files import NewFiles

_BUFFER_BYTES = 1 << 20
_LARGEST_I16 = 32_767
_INDEXES = ((COLUMN_INDEX, COLUMN_INDEX_LENGTH), (OFFSET_INDEX, OFFSET_INDEX_LENGTH))


def join_row_groups(footers: Sequence[Footer], new: NewFiles, *, bytes_per_file: int) -> list[Path]:
    """New files with all row groups of files that are alike, in their order.

    Args:
        footers: of files whose footers differ in row groups only.
        new: names the files.
        bytes_per_file: after which another one is begun.

    Raises:
        PermanentError: a footer says what cannot be.
    """
    written: list[Path] = []
    waiting = [(footer, group) for footer in footers for group in footer.row_groups]
    waiting = [(footer, group) for footer, group in waiting if group[RG_ROWS][1]]
    while waiting:
        path = new.path(len(written))
        written.append(path)
        with path.open("wb") as out:
            joined = _Joined(out)
            while waiting and (not joined.row_groups or joined.at < bytes_per_file):
                joined.add(*waiting.pop(0))
            joined.finish(footers)
        remove_annotations(path)
    return written


@dataclass(slots=True)
class _Joined:
    """A file that is being written; ``at``: its length."""

    out: BinaryIO
    at: int = 0
    row_groups: list[Struct] = field(default_factory=list[Struct])
    _indexes: list[tuple[Struct, int, bytes]] = field(
        default_factory=list[tuple[Struct, int, bytes]]
    )

    def __post_init__(self) -> None:
        self._write(MAGIC)

    def add(self, footer: Footer, row_group: Struct) -> None:
        """Copy the pages of a row group, and what belongs to them."""
        start, end = extent(footer, row_group)
        shift = self.at - start
        with footer.path.open("rb") as source:
            self._copy(source, start, end, name=str(footer.path))
            for chunk in chunks_of(row_group):
                self._keep_indexes(source, footer, chunk, shift)
                self._copy_bloom_filter(source, footer, chunk)
        for chunk in chunks_of(row_group):
            move(chunk, CHUNK_OFFSET, shift)
            for place in OFFSETS:
                move(column_of(chunk), place, shift)
        move(row_group, RG_OFFSET, shift)
        number = len(self.row_groups)
        row_group.pop(ORDINAL, None)
        if number <= _LARGEST_I16:
            row_group[ORDINAL] = I16, number
        self.row_groups.append(row_group)

    def finish(self, footers: Sequence[Footer]) -> None:
        """Page indexes, then the footer."""
        for chunk, place, content in self._indexes:
            chunk[place] = I64, self.at
            self._write(content)
        metadata = dict(footers[0].metadata)
        metadata[ROWS] = I64, sum(group[RG_ROWS][1] for group in self.row_groups)
        metadata[ROW_GROUPS] = LIST, list_of(self.row_groups)
        metadata.pop(KEY_VALUES, None)
        if words := _common_words(footers):
            metadata[KEY_VALUES] = LIST, list_of(words)
        writer = Writer()
        writer.struct(metadata)
        self._write(bytes(writer.content) + TAIL.pack(len(writer.content), MAGIC))

    def _keep_indexes(self, source: BinaryIO, footer: Footer, chunk: Struct, shift: int) -> None:
        """Take the page indexes of a chunk, to be written before the footer as writers do."""
        for place, length in _INDEXES:
            offset, size = chunk.pop(place, (0, 0))[1], chunk.pop(length, (0, 0))[1]
            if not (offset and size):
                continue
            content = read_index(source, footer, offset, size)
            if place == OFFSET_INDEX:
                content = moved_pages(content, shift, name=str(footer.path))
            chunk[length] = I32, len(content)
            self._indexes.append((chunk, place, content))

    def _copy_bloom_filter(self, source: BinaryIO, footer: Footer, chunk: Struct) -> None:
        """Older writers do not say how long it is: then it is left out, which readers allow."""
        column = column_of(chunk)
        offset = column.pop(BLOOM_FILTER, (0, 0))[1]
        size = column.get(BLOOM_FILTER_LENGTH, (0, 0))[1]
        if offset and size:
            column[BLOOM_FILTER] = I64, self.at
            self._write(read_index(source, footer, offset, size))
        else:
            column.pop(BLOOM_FILTER_LENGTH, None)

    def _copy(self, source: BinaryIO, start: int, end: int, *, name: str) -> None:
        source.seek(start)
        left = end - start
        while left:
            content = source.read(min(left, _BUFFER_BYTES))
            if not content:
                raise damaged(name, "it is cut short")
            self._write(content)
            left -= len(content)

    def _write(self, content: bytes) -> None:
        self.out.write(content)
        self.at += len(content)


def _common_words(footers: Sequence[Footer]) -> list[Struct]:
    """Key-value pairs that all files have."""

    def of(footer: Footer) -> Iterator[Struct]:
        found: Items = footer.metadata.get(KEY_VALUES, (LIST, Items(0, [])))[1]
        yield from found.values

    others = [list(of(one)) for one in footers[1:]]
    return [pair for pair in of(footers[0]) if all(pair in words for words in others)]
