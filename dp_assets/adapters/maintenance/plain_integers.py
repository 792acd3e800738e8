"""Integers of a Parquet file without annotation, as every Iceberg writer writes them.

DuckDB annotates them as INT_32 and INT_64. That says nothing that the physical type does not, but
once such a column is widened from int to long, Spark's vectorized reader (Iceberg 1.10.1) fails
with "BigIntVector cannot be cast to IntVector". Only the schema in the footer changes.

Source: parquet-format, ``parquet.thrift``: FileMetaData, SchemaElement, ConvertedType.
"""

from pathlib import Path

from dp_assets.adapters.maintenance.parquet_footer import MAGIC, TAIL, raw_footer
from dp_assets.adapters.maintenance.thrift_compact import (
    LIST,
    STRUCT,
    Items,
    Reader,
    Struct,
    Writer,
)
from dp_assets.adapters.recovery.avro_source import damaged

_SCHEMA = 2  # FileMetaData
_CONVERTED_TYPE, _LOGICAL_TYPE = 6, 10  # SchemaElement
_INT_32, _INT_64 = 17, 18  # ConvertedType
_INTEGER = 10  # LogicalType
_IS_SIGNED, _TRUE = 2, 1  # IntType
_WIDTHS = (32, 64)


def remove_annotations(path: Path) -> None:
    """Rewrite the footer of a file that nobody reads yet; it is not synced.

    Raises:
        PermanentError: it is no Parquet file.
    """
    with path.open("r+b") as file:
        start, content = raw_footer(file, path)
        footer = _plain(content, name=str(path))
        file.seek(start)
        file.write(footer + TAIL.pack(len(footer), MAGIC))
        file.truncate()


def _plain(footer: bytes, *, name: str) -> bytes:
    """``footer`` with plain integers in its schema; all around it stays byte for byte."""
    reader = Reader(footer)
    field_id = 0
    try:
        while header := reader.field(field_id):
            field_id, kind = header
            if field_id == _SCHEMA and kind == LIST:
                start = reader.at
                schema: Items = reader.value(LIST)
                return footer[:start] + _written(schema) + footer[reader.at :]
            reader.value(kind)
    except (IndexError, ValueError) as error:
        raise damaged(name, f"its footer cannot be read: {error!r}") from error
    raise damaged(name, "its footer has no schema")


def _written(schema: Items) -> bytes:
    for element in schema.values:
        if schema.kind == STRUCT and _is_plain_integer(element):
            element.pop(_CONVERTED_TYPE, None)
            element.pop(_LOGICAL_TYPE, None)
    writer = Writer()
    writer.value(LIST, schema)
    return bytes(writer.content)


def _is_plain_integer(element: Struct) -> bool:
    """Whether an annotation says what the physical type says: signed, 32 or 64 bits."""
    if element.get(_CONVERTED_TYPE, (0, None))[1] in (_INT_32, _INT_64):
        return True
    logical: Struct = element.get(_LOGICAL_TYPE, (0, {}))[1]
    if _INTEGER not in logical:
        return False
    integer: Struct = logical[_INTEGER][1]
    return integer[1][1] in _WIDTHS and integer[_IS_SIGNED][0] == _TRUE
