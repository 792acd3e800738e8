"""DuckDB's memory between two pieces of work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def give_back(connection: duckdb.DuckDBPyConnection) -> None:
    """To the system, what DuckDB has freed: up to 100 MB that the next work would come on top of.

    Setting the limit is what does it, also to the same value.
    """
    [limit] = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    connection.execute(f"SET memory_limit = '{limit[0]}'")
