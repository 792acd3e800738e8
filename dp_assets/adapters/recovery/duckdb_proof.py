"""DuckDB as a proof uses it: bounded in memory, in UTC, with extensions from this machine only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from dp_assets.adapters.duckdb_query import confine
from dp_assets.adapters.duckdb_reader import EXTENSIONS, REMOTE, extension_file
from dp_assets.adapters.duckdb_s3 import allow_s3

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def confined_connection(
    folder: Path, *, memory_limit: str, threads: int
) -> duckdb.DuckDBPyConnection:
    """DuckDB that opens nothing outside ``folder``; extensions are loaded before that is so."""
    connection = open_connection(folder, memory_limit=memory_limit, threads=threads)
    confine(connection, [f"{folder}/"])
    return connection


def open_connection(folder: Path, *, memory_limit: str, threads: int) -> duckdb.DuckDBPyConnection:
    """DuckDB that opens files anywhere and spills into ``folder``."""
    connection = duckdb.connect(
        config={
            "memory_limit": memory_limit,
            "threads": str(threads),
            "temp_directory": str(folder / "duckdb"),
            "autoinstall_known_extensions": "false",
            # 1.5.5 mixes up deletion vectors of one Puffin file when it reads several snapshots.
            "enable_external_file_cache": "false",
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    for name in EXTENSIONS:
        connection.execute(f"LOAD '{extension_file(name)}'")
    return connection


def reach_s3(connection: duckdb.DuckDBPyConnection, properties: Mapping[str, str]) -> None:
    """Let ``connection`` open buckets with a catalog's properties; doing so again is no harm.

    Raises ConfigurationError: DuckDB's extension for that is not installed.
    """
    connection.execute(f"LOAD '{extension_file(REMOTE)}'")
    allow_s3(connection, properties)
