"""Examines a SQLite catalog's file without changing it: access, structure, locks, content."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from dp_assets.adapters.lock_holder import lock_holders
from dp_assets.adapters.sqlite_lock import is_locked_error, sqlite_code
from dp_assets.ports.doctor import Database, DatabaseState

ICEBERG_TABLES = {"iceberg_tables", "iceberg_namespace_properties"}
BESIDES = ("-shm", "-wal", "-journal")
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
Check = Callable[[sqlite3.Connection], Database | None]


def examine_database(path: Path, *, busy_timeout_ms: int) -> Database:
    """What state the database at ``path`` is in; it is never created.

    A lock is waited for ``busy_timeout_ms``, then its holder is named where the system tells. A
    journal that a killed process left is rolled back by SQLite itself, as by any reader.
    """
    try:
        if not path.exists():
            return Database(str(path), DatabaseState.MISSING, "does not exist")
    except PermissionError as error:
        return Database(str(path), DatabaseState.UNREADABLE, f"cannot be read: {error.strerror}")
    address = f"file:{quote(str(path))}?mode=rw"  # opens for reading where writing is not allowed
    try:
        with closing(
            sqlite3.connect(address, uri=True, timeout=busy_timeout_ms / 1000, isolation_level=None)
        ) as connection:
            return _examine(connection, path)
    except sqlite3.Error as error:
        return _verdict(path, error)


def _examine(connection: sqlite3.Connection, path: Path) -> Database:
    problems = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if problems != ["ok"]:
        return Database(str(path), DatabaseState.DAMAGED, f"is damaged: {'; '.join(problems)}")
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not names >= ICEBERG_TABLES:
        detail = "is a SQLite database, but not an Iceberg catalog (it has no table iceberg_tables)"
        return Database(str(path), DatabaseState.FOREIGN, detail)
    try:
        _begin_a_write(connection)
    except sqlite3.Error as error:
        if is_locked_error(error):
            raise
        detail = f"cannot be written by this user: {error}"
        return Database(str(path), DatabaseState.READ_ONLY, detail)
    return Database(str(path), DatabaseState.GOOD)


def _begin_a_write(connection: sqlite3.Connection) -> None:
    """Take the lock of a commit, make its journal, and give both back."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"PRAGMA user_version = {version:d}")
    finally:
        connection.execute("ROLLBACK")


def _verdict(path: Path, error: sqlite3.Error) -> Database:
    """Looked at with our own connection closed, so that its locks do not count."""
    if is_locked_error(error):
        besides = [path.with_name(path.name + suffix) for suffix in BESIDES]
        holders = " and ".join(map(str, lock_holders(path, *besides)))
        detail = f"is locked by {holders or 'a process that this system does not name'}"
        return Database(str(path), DatabaseState.LOCKED, detail)
    if sqlite_code(error) in DAMAGED:
        return Database(str(path), DatabaseState.DAMAGED, f"is damaged: {error}")
    return Database(str(path), DatabaseState.UNREADABLE, f"cannot be read: {error}")
