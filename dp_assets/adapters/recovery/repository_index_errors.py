"""What SQLite's errors mean for whoever uses the index of a repository."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from dp_assets.core.errors import PermanentError, TransientError


@contextmanager
def explained() -> Generator[None, None, None]:
    """Raise errors of the database as :func:`explanation` has them."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise explanation(error) from error


def explanation(error: sqlite3.DatabaseError) -> TransientError | PermanentError:
    """Whether the same call will help later, and what to do."""
    if not isinstance(error, sqlite3.OperationalError):
        return TransientError(
            f"the index of the repository is damaged: {error}",
            hint="run it again: it is checked when it is opened, and made again",
        )
    if (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TransientError(
            f"the index of the repository is in use by another process: {error}",
            hint="run it again",
        )
    return PermanentError(
        f"the index of the repository cannot be used: {error}",
        hint="free some space, or delete it: 'dp repo rebuild-index' makes it again",
    )
