"""A SQLite database that stays open between the short connections of somebody else.

When the last connection to a database in WAL mode closes, SQLite writes the log back into the
database, syncs both and deletes the log. Dagster opens a connection for every statement, so each
of its events pays for that: 10 fsyncs instead of 3. One idle connection more, and nobody is last.
It holds no lock that a reader, a writer or a checkpoint would wait for.
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def kept_open(database: Path) -> Generator[None, None, None]:
    """Keep ``database`` open meanwhile; does nothing when there is no such file."""
    if not database.is_file():
        yield
        return
    address = f"{database.absolute().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True, check_same_thread=False)) as connection:
        # Opened lazily: only a statement makes it count as a connection.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
        yield
