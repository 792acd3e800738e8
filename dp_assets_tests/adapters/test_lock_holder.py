import os
import sqlite3
from pathlib import Path

import pytest

from dp_assets.adapters import lock_holder
from dp_assets.adapters.lock_holder import lock_holders
from dp_assets_tests.adapters.opener import other_process


def database(folder: Path) -> Path:
    path = folder / "lake.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("INSERT INTO t VALUES (1), (2)")
    connection.close()
    return path


def pids(path: Path) -> list[int]:
    return [process.pid for process in lock_holders(path)]


def test_nobody(tmp_path: Path):
    assert lock_holders(database(tmp_path), tmp_path / "missing") == ()


def test_the_writer_is_named_and_not_those_who_only_have_it_open(tmp_path: Path):
    path = database(tmp_path)
    with other_process("open", path) as opener:
        assert pids(path) == [opener]
        with other_process("BEGIN IMMEDIATE", path) as writer:
            assert pids(path) == [writer]


def test_a_reader_is_named_when_nobody_writes(tmp_path: Path):
    path = database(tmp_path)
    with (
        other_process("open", path),
        other_process("PRAGMA journal_mode; BEGIN; SELECT a FROM t", path) as reader,
    ):
        assert pids(path) == [reader]


def test_another_connection_of_this_process_is_named(tmp_path: Path):
    path = database(tmp_path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    assert pids(path) == [os.getpid()]
    connection.close()


def test_a_system_without_a_list_of_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = database(tmp_path)
    monkeypatch.setattr(lock_holder, "PROC_LOCKS", tmp_path / "no-proc")
    with other_process("BEGIN IMMEDIATE", path) as writer:
        (found,) = lock_holders(path)
        assert str(found).startswith(f"pid {writer} (python")
