import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dp_assets.adapters.sqlite_kept_open import kept_open


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "100% of index.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE event (id INTEGER)")
    return path


def store(database: Path, number: int) -> None:
    """What Dagster does for an event: connect, insert, commit, close."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT INTO event VALUES (?)", (number,))


def stored(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM event ORDER BY id")]


def log(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def test_the_log_is_not_written_back_at_each_close(database):
    with kept_open(database):
        store(database, 1)
        before = database.read_bytes()
        store(database, 2)
        assert log(database).stat().st_size > 0
        assert database.read_bytes() == before
        assert stored(database) == [1, 2]


def test_without_it_every_close_writes_back(database):
    store(database, 1)
    assert not log(database).exists()


def test_the_last_close_writes_back(database):
    with kept_open(database):
        store(database, 1)
    assert not log(database).exists()
    assert stored(database) == [1]


def test_readers_writers_and_checkpoints_do_not_wait(database):
    with kept_open(database), closing(sqlite3.connect(database, timeout=0)) as other:
        other.execute("BEGIN EXCLUSIVE")
        other.execute("INSERT INTO event VALUES (1)")
        other.execute("COMMIT")
        [(busy, *_)] = other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert busy == 0


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with kept_open(tmp_path / "index.db"):
        pass
    assert list(tmp_path.iterdir()) == []
