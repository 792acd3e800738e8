"""What only the database store can meet: locks of other processes and damage."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.adapters.sqlite_lock import explain_locked, is_locked_error
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets_tests.adapters.opener import other_process

LOCK = "BEGIN EXCLUSIVE"


def open_leases(path: Path, *, busy_timeout_ms: int = 50) -> SqlLeases:
    engine = create_engine(f"sqlite:///{path}")
    return SqlLeases(
        engine, now_ms=lambda: 0, sleep=lambda _: None, busy_timeout_ms=busy_timeout_ms
    )


def take(leases: SqlLeases) -> int:
    return leases.acquire("t", owner="me", ttl_ms=1000, wait_ms=0).fencing


def test_a_locked_database_is_waited_for_then_named_with_its_process(tmp_path: Path):
    path = tmp_path / "lake.db"
    leases = open_leases(path)
    lease = leases.acquire("t", owner="me", ttl_ms=1000, wait_ms=0)
    with other_process(LOCK, path) as pid:
        for act in (leases.check, leases.renew, leases.release):
            with pytest.raises(TransientError, match=rf"{path} is locked by pid {pid} \(python"):
                act(lease)
    leases.check(lease)


def test_the_timeout_reaches_every_connection_of_the_engine(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path / 'lake.db'}")
    with engine.connect() as pooled:
        pooled.execute(text("SELECT 1"))
    SqlLeases(engine, now_ms=lambda: 0, sleep=lambda _: None, busy_timeout_ms=12_345)
    with engine.connect() as first, engine.connect() as second:
        waits = [c.execute(text("PRAGMA busy_timeout")).scalar() for c in (first, second)]
    assert waits == [12_345, 12_345]


def test_the_first_use_under_a_lock_says_the_same(tmp_path: Path):
    path = tmp_path / "lake.db"
    sqlite3.connect(path).close()
    with other_process(LOCK, path) as pid, pytest.raises(TransientError, match=f"pid {pid}"):
        take(open_leases(path))


def test_only_locks_are_explained(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path / 'lake.db'}")
    with (
        pytest.raises(OperationalError, match="no such table") as raised,
        explain_locked(engine),
        engine.connect() as c,
    ):
        c.execute(text("SELECT * FROM missing"))
    assert not is_locked_error(raised.value)


def test_a_file_that_is_no_database_needs_a_person(tmp_path: Path):
    path = tmp_path / "lake.db"
    path.write_bytes(b"not a database, but long enough to be taken for one" * 20)
    with pytest.raises(PermanentError, match="file is not a database"):
        take(open_leases(path))


def test_a_folder_that_is_missing_needs_a_person(tmp_path: Path):
    with pytest.raises(PermanentError, match="unable to open database file"):
        take(open_leases(tmp_path / "missing" / "lake.db"))


def test_the_password_stays_out_of_errors(tmp_path: Path):
    engine = create_engine(f"sqlite:///{tmp_path / 'missing' / 'lake.db'}")
    leases = SqlLeases(engine, now_ms=lambda: 0, sleep=lambda _: None)
    engine.url = make_url("postgresql://dp:hunter2@db/lake")
    with pytest.raises(PermanentError, match="db/lake") as raised:
        take(leases)
    assert "hunter2" not in str(raised.value)
