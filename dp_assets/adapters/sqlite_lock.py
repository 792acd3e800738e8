"""A locked SQLite database: waited for, then named, with the process that holds it."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from dp_assets.adapters.lock_holder import lock_holders
from dp_assets.core.errors import LakeError, TransientError

PRIMARY_CODE = 0xFF  # an extended result code keeps the primary one in its lowest byte


def sqlite_code(error: BaseException) -> int | None:
    """SQLite's primary result code behind ``error``; None for anything else.

    Source: sqlite.org/rescode.html.
    """
    origin = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(origin, sqlite3.Error):
        return None
    code = getattr(origin, "sqlite_errorcode", None)
    return None if code is None else code & PRIMARY_CODE


def is_locked_error(error: BaseException) -> bool:
    """Whether ``error`` says that another connection has the SQLite database locked.

    Nothing was changed then; the same statement may succeed later.
    """
    return sqlite_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def wait_for_locks(engine: Engine, *, busy_timeout_ms: int) -> None:
    """Make every connection that ``engine`` hands out from now on wait for locks this long."""
    if engine.dialect.name != "sqlite":
        return

    def set_timeout(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA busy_timeout = {busy_timeout_ms:d}")

    event.listen(engine, "checkout", set_timeout)


@contextmanager
def explain_locked(engine: Engine) -> Generator[None, None, None]:
    """Re-raise "database is locked" as a TransientError that names the file and who holds it.

    Other errors pass unchanged. Put it outside of the connection, so that the locks of the
    statement that was refused are gone when the others are looked at.
    """
    try:
        yield
    except DBAPIError as error:
        if not is_locked_error(error):
            raise
        raise locked(engine) from error


def locked(engine: Engine) -> LakeError:
    """The error for a database that stayed locked for the whole busy timeout."""
    database = engine.url.database
    if not database:
        return TransientError("the database in memory is locked", hint="use a file")
    path = Path(database).absolute()
    besides = [path.with_name(path.name + suffix) for suffix in ("-shm", "-wal", "-journal")]
    holders = " and ".join(str(holder) for holder in lock_holders(path, *besides))
    return TransientError(
        f"database {path} is locked by {holders or 'a process that this system does not name'}",
        hint="nothing was changed; run it again when that process is done, or end it",
    )
