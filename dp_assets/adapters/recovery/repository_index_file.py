"""Opening the file of an index: it is whole and of the right repository, or it is replaced."""

import sqlite3
from contextlib import closing
from pathlib import Path

from dp_assets.adapters.recovery.repository_index_sql import SCHEMA, SCHEMA_VERSION
from dp_assets.adapters.sqlite_lock import sqlite_code
from dp_assets.adapters.state_folder import make_folder
from dp_assets.core.errors import ConfigurationError, PermanentError, TransientError

BUSY_SECONDS = 60
SIDE_FILES = ("", "-wal", "-shm", "-journal")


def open_database(path: Path | None, *, repository_id: str) -> sqlite3.Connection:
    """A database with the tables of an index, for use by any thread, one at a time.

    Raises:
        ConfigurationError: the file cannot be made there.
        PermanentError: its disk is full or fails.
        TransientError: another process keeps it locked.
    """
    if path is None:
        return _made(_connect(":memory:"), repository_id)
    make_folder(path.parent)
    found = _whole(path, repository_id)
    if found:
        return found
    try:
        for suffix in SIDE_FILES:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return _made(_connect(path), repository_id)
    except (OSError, sqlite3.Error) as error:
        if sqlite_code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise PermanentError(
                f"the index {path} cannot be written: {error}",
                hint="make room on the disk of the state folder, or look at its health",
            ) from error
        raise ConfigurationError(
            f"the index {path} cannot be made: {error}",
            hint="the state folder must be writable; what stands there may be deleted",
        ) from error


def _connect(path: Path | str) -> sqlite3.Connection:
    database = sqlite3.connect(
        path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    # It may lose its last moments with the power, and must not lose its order.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "cache_size = -16384"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    return database


def _made(database: sqlite3.Connection, repository_id: str) -> sqlite3.Connection:
    database.executescript(f"BEGIN; {SCHEMA} COMMIT;")
    database.execute("INSERT INTO about VALUES (?, ?)", (repository_id, SCHEMA_VERSION))
    return database


def _whole(path: Path, repository_id: str) -> sqlite3.Connection | None:
    """The database, if SQLite finds nothing wrong with it and it is ours."""
    if not path.is_file():
        return None
    database = None
    try:
        database = _connect(path)
        sound = database.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
        about = database.execute("SELECT repository_id, schema_version FROM about").fetchall()
        if sound and about == [(repository_id, SCHEMA_VERSION)]:
            return database
    except sqlite3.DatabaseError as error:
        if (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise TransientError(
                f"the index {path} is locked by another process", hint="run it again"
            ) from error
    if database:
        with closing(database):
            return None
    return None
