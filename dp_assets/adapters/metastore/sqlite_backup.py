"""Copying a SQLite database while others write it, through SQLite's own online backup.

Never as a file: between two pages that a copy reads, a commit may change both. The backup takes
its read lock for a few pages at a time; a commit of another process makes it start again, which a
busy catalog would do for ever, so after a few restarts the rest is copied under one lock.
"""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, create_engine

from dp_assets.adapters.sqlite_lock import is_locked_error, locked, sqlite_code
from dp_assets.core.errors import LakeError, PermanentError
from dp_assets.ports.metastore import Progress, no_progress

WAIT_S = 30.0
PAGES_PER_STEP = 512  # 2 MB of the usual 4 KiB pages: a writer waits a few milliseconds
# A live file is never created, and opened for writing because a journal that a killed process left
# must be rolled back. A dump is read as it is: nothing appears beside it, on any medium.
LIVE, FROZEN = "mode=rw", "mode=ro&immutable=1"
RESTARTS = 5  # then writers wait for the whole copy, which is what a short copy costs anyway


class _RestartedTooOftenError(Exception):
    """The copy never gets to its end because others commit."""


class _BusyError(Exception):
    """The source stayed locked for the whole busy timeout."""


def copy_database(
    source: Path,
    target: Path,
    *,
    mode: str = LIVE,
    wait_s: float = WAIT_S,
    on_progress: Progress = no_progress,
) -> None:
    """Make ``target`` a copy of one committed state of ``source``; what was there is replaced.

    Raises:
        TransientError: locked for longer than ``wait_s``; names who holds the lock.
        PermanentError: missing, damaged or not a SQLite database.
    """
    with sqlite_errors(source, f"copy database {source}"):
        address = address_of(source, mode)
        try:
            _copy(address, target, wait_s=wait_s, pages=PAGES_PER_STEP, on_progress=on_progress)
        except _RestartedTooOftenError:
            _copy(address, target, wait_s=wait_s, pages=-1, on_progress=on_progress)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def address_of(path: Path, mode: str) -> str:
    """The file at ``path`` as SQLite's URI."""
    return f"file:{quote(str(path))}?{mode}"


def _copy(address: str, target: Path, *, wait_s: float, pages: int, on_progress: Progress) -> None:
    target.unlink(missing_ok=True)
    watch = _Watch(on_progress, restarts=RESTARTS if pages > 0 else None)
    with (
        closing(sqlite3.connect(address, uri=True, timeout=wait_s)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        writing.execute("PRAGMA synchronous = OFF")  # synced as a whole by the caller
        reading.backup(writing, pages=pages, progress=watch.step)


class _Watch:
    """Sees every step of a backup and ends one that gets nowhere by an exception."""

    def __init__(self, on_progress: Progress, *, restarts: int | None) -> None:
        self._on_progress = on_progress
        self._restarts_left = restarts
        self._remaining: int | None = None

    def step(self, status: int, remaining: int, total: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise _BusyError  # SQLite has waited already; Python would repeat it for ever
        # A restart copies its first pages in the same step: no less remains than before.
        restarted = self._remaining is not None and remaining >= self._remaining
        self._remaining = remaining
        if restarted and self._restarts_left is not None:
            self._restarts_left -= 1
            if not self._restarts_left:
                raise _RestartedTooOftenError
        self._on_progress(total - remaining, total)


def integrity_problems(path: Path) -> tuple[str, ...]:
    """What SQLite finds wrong in a file that nobody writes; empty when it is whole."""
    try:
        with closing(sqlite3.connect(address_of(path, FROZEN), uri=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
    except sqlite3.Error as error:
        return (str(error),)
    return () if found == ["ok"] else tuple(found)


@contextmanager
def sqlite_errors(path: Path, doing: str) -> Generator[None, None, None]:
    """Re-raise what SQLite says of ``path`` as ours; a lock names its holder."""
    try:
        yield
    except _BusyError as error:
        raise _locked(path) from error
    except sqlite3.Error as error:
        if is_locked_error(error):
            raise _locked(path) from error
        raise _verdict(doing, error) from error


def _locked(path: Path) -> LakeError:
    return locked(create_engine(URL.create("sqlite", database=str(path))))


def _verdict(doing: str, error: sqlite3.Error) -> LakeError:
    full = sqlite_code(error) == sqlite3.SQLITE_FULL
    return PermanentError(
        f"{doing}: {error}",
        hint="make room on the disk" if full else "'dp doctor' says what is wrong with it",
    )
