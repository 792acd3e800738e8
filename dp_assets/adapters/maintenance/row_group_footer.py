"""The footer of a Parquet file as it is, and as the facts by which row groups are taken over.

Source: parquet-format, ``parquet.thrift``: FileMetaData, RowGroup, ColumnChunk, ColumnMetaData.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import parquet_path_to_id_mapping, schema_to_pyarrow

from dp_assets.adapters.maintenance.parquet_footer import raw_footer
from dp_assets.adapters.maintenance.thrift_compact import STRUCT, Items, Reader, Struct, Writer
from dp_assets.adapters.recovery.avro_source import damaged
from dp_assets.ports.row_groups import FooterFacts

if TYPE_CHECKING:
    from pathlib import Path

    from pyiceberg.schema import Schema

# FileMetaData
ROWS, ROW_GROUPS, KEY_VALUES = 3, 4, 5
ENCRYPTION, SIGNING_KEY = 8, 9
# RowGroup
CHUNKS, RG_ROWS, RG_OFFSET, ORDINAL = 1, 3, 5, 7
# ColumnChunk
FILE_PATH, CHUNK_OFFSET, CHUNK_METADATA = 1, 2, 3
OFFSET_INDEX, OFFSET_INDEX_LENGTH, COLUMN_INDEX, COLUMN_INDEX_LENGTH = 4, 5, 6, 7
CRYPTO, ENCRYPTED_METADATA = 8, 9
# ColumnMetaData
CODEC, COMPRESSED_SIZE = 4, 7
DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE = 9, 10, 11
BLOOM_FILTER, BLOOM_FILTER_LENGTH = 14, 15
_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")
_PER_FILE = (ROWS, ROW_GROUPS, KEY_VALUES)
# One type as Arrow spells it in several ways; the bytes in the file are the same.
_SAME = {"large_string": "string", "large_binary": "binary"}


@dataclass(frozen=True, slots=True)
class Footer:
    """The footer of a file on a local disk.

    Attributes:
        start: where it begins; all data comes before.
        metadata: FileMetaData.
    """

    path: Path
    start: int
    metadata: Struct

    @property
    def row_groups(self) -> list[Struct]:
        found: Items = self.metadata[ROW_GROUPS][1]
        return found.values


def read_footer(path: Path) -> Footer:
    """Of a Parquet file. Raises PermanentError when it has none that can be read."""
    with path.open("rb") as file:
        start, content = raw_footer(file, path)
        try:
            metadata = Reader(content).struct()
        except (IndexError, ValueError) as error:
            raise damaged(str(path), f"its footer cannot be read: {error!r}") from error
    if not {ROWS, ROW_GROUPS} <= metadata.keys():
        raise damaged(str(path), "its footer names no row groups")
    return Footer(path, start, metadata)


def facts_of(footer: Footer, schema: Schema) -> FooterFacts:
    """What decides on the row groups of the file, in a table whose columns are ``schema``."""
    chunks = [chunk for group in footer.row_groups for chunk in chunks_of(group)]
    outside = {FILE_PATH, CRYPTO, ENCRYPTED_METADATA}
    of_file = {ENCRYPTION, SIGNING_KEY} & footer.metadata.keys()
    is_whole = not of_file and all(
        CHUNK_METADATA in chunk and not outside & chunk.keys() for chunk in chunks
    )
    writer = Writer()
    writer.struct({k: v for k, v in footer.metadata.items() if k not in _PER_FILE})
    return FooterFacts(
        path=str(footer.path),
        alike=bytes(writer.content),
        is_current=is_whole and _has_columns(pq.read_metadata(footer.path), schema),
        codecs=frozenset(_codec(chunk) for chunk in chunks) if is_whole else frozenset(),
        row_group_bytes=tuple(
            sum(column_of(chunk)[COMPRESSED_SIZE][1] for chunk in chunks_of(group))
            for group in footer.row_groups
        )
        if is_whole
        else (),
        is_whole=is_whole,
    )


def chunks_of(row_group: Struct) -> list[Struct]:
    """The column chunks of a row group."""
    found: Items = row_group[CHUNKS][1]
    return found.values


def column_of(chunk: Struct) -> Struct:
    """The ColumnMetaData of a chunk."""
    found: Struct = chunk[CHUNK_METADATA][1]
    return found


def list_of(structs: list[Struct]) -> Items:
    """As a Thrift value."""
    return Items(STRUCT, structs)


def _codec(chunk: Struct) -> str:
    number: int = column_of(chunk)[CODEC][1]
    return _CODECS[number] if number < len(_CODECS) else f"codec {number}"


def _has_columns(metadata: pq.FileMetaData, schema: Schema) -> bool:
    """Whether the columns of a file are exactly those, down to the names of inner groups."""
    paths = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
    if paths != list(parquet_path_to_id_mapping(schema)):
        return False
    return _columns(metadata.schema.to_arrow_schema()) == _columns(schema_to_pyarrow(schema))


def _columns(schema: pa.Schema) -> list[Any]:
    """Id, name, type and what is inside, of each column; whether it may be null is left out."""
    return [_column(field) for field in schema]


def _column(field: pa.Field) -> tuple[Any, ...]:
    field_id = (field.metadata or {}).get(b"PARQUET:field_id")
    kind = field.type
    if isinstance(kind, pa.MapType):
        inner = [_column(kind.key_field), _column(kind.item_field)]
        return field_id, field.name, "map", inner
    if pa.types.is_nested(kind):
        inner = [_column(kind.field(place)) for place in range(kind.num_fields)]
        return field_id, field.name, "struct" if pa.types.is_struct(kind) else "list", inner
    name = str(kind)
    return field_id, field.name, _SAME.get(name, name)
