"""The rows of a table in one line, to be compared before and after something was done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dp_assets.core.ids import TableId
    from dp_assets.lakehouse import Lakehouse


class Content(NamedTuple):
    """How many rows, and a hash of all their values that does not depend on their order."""

    rows: int
    hash: str


def read_content(lake: Lakehouse, table: TableId) -> Content:
    """Read the head with DuckDB. Raises LakeError when it cannot be read."""
    with lake.reader() as reader:
        # A sum of hashes does not depend on the order of rows, and twice the same row counts.
        found = reader.rows(
            f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {reader.scan(table)} t",  # noqa: S608
            about=table,
        )
    rows, content = (column[0].as_py() for column in found.columns)
    return Content(int(rows), f"{int(content or 0) % 2**64:016x}")
