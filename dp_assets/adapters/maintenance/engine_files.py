"""Files of a table as DuckDB opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.maintenance.parquet_tree import column_trees, escaped
from dp_assets.core.errors import PermanentError
from dp_assets.ports.closure import one_spelling

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import duckdb

    from dp_assets.adapters.maintenance.parquet_tree import Node


def engine_path(location: str) -> str:
    """The name by which DuckDB opens a file of a table."""
    path = local_path(location)
    return one_spelling(location) if path is None else str(path)


def engine_trees(
    connection: duckdb.DuckDBPyConnection, paths: Collection[str]
) -> Mapping[str, tuple[Node, ...]]:
    """The columns of Parquet files, by their :func:`engine_path`.

    Raises:
        CompactionRefusedError: names differ only in case.
        PermanentError: DuckDB calls a file otherwise, so that its rows would not be known again.
    """
    trees = column_trees(connection, [escaped(path) for path in paths])
    if lost := set(paths) - set(trees):
        raise PermanentError(
            f"{min(lost)} is not what DuckDB opens by that name",
            hint="'dp repair' finds damage",
        )
    return trees
