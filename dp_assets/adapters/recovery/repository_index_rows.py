"""Rows of a repository's index: each with a checksum of its own, so many at a time."""

import zlib
from collections.abc import Generator, Iterable
from itertools import islice
from typing import TypeVar

from dp_assets.ports.recovery import ObjectRef
from dp_assets.ports.repository_index import FileKey

T = TypeVar("T")
BATCH = 1000


def checksum(*values: object) -> int:
    """CRC-32 of a row: SQLite does not notice a flipped bit in a value."""
    return zlib.crc32("\0".join(map(str, values)).encode())


def file_row(key: FileKey, ref: ObjectRef) -> tuple[object, ...]:
    """The columns of ``SQL.add_file``."""
    columns = (key.path, key.size, key.version, ref.name, ref.sha256)
    return (*columns, checksum(key.table_uuid, *columns), key.table_uuid)


def batches(items: Iterable[T]) -> Generator[list[T], None, None]:
    """``items`` in lists of at most ``BATCH``."""
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch
