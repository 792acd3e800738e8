"""Examining a catalog's database: real files, real locks, real damage."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.doctor.doctor_sqlite import examine_database
from dp_assets.ports.doctor import DatabaseState
from dp_assets_tests.adapters.opener import other_process
from dp_assets_tests.adapters.ordinary_user import as_ordinary_user, open_folder

PAGE = 4096


def make_catalog(path: Path) -> Path:
    """Enough namespaces for a tree of several pages."""
    catalog = SqlCatalog("lake", uri=f"sqlite:///{path}", warehouse=f"file://{path.parent}/w")
    for i in range(200):
        catalog.create_namespace(f"ns{i}", {"comment": "x" * 100})
    catalog.engine.dispose()
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_catalog(tmp_path / "catalog.db")


def test_a_good_one_is_left_as_it_was(database: Path):
    before = database.read_bytes()
    assert examine_database(database, busy_timeout_ms=0).state is DatabaseState.GOOD
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["catalog.db"]


def test_a_missing_one_is_not_made(tmp_path: Path):
    found = examine_database(tmp_path / "catalog.db", busy_timeout_ms=0)
    assert found.state is DatabaseState.MISSING
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["BEGIN EXCLUSIVE", "BEGIN IMMEDIATE"])
def test_a_lock_is_named_with_its_process(database: Path, how: str):
    with other_process(how, database) as pid:
        found = examine_database(database, busy_timeout_ms=50)
    assert found.state is DatabaseState.LOCKED
    assert f"is locked by pid {pid} (" in found.detail
    assert examine_database(database, busy_timeout_ms=0).state is DatabaseState.GOOD


def test_a_lock_that_goes_away_is_waited_for(database: Path):
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print('ready', flush=True); sys.stdin.read(1)"
    )
    wait = (
        "import pathlib, sys; from dp_assets.adapters.doctor import doctor_sqlite as d;"
        "print('go', flush=True);"
        "print(d.examine_database(pathlib.Path(sys.argv[1]), busy_timeout_ms=60_000).state.name)"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        subprocess.Popen([sys.executable, "-c", hold, str(database)], **pipes) as holder,
        subprocess.Popen([sys.executable, "-c", wait, str(database)], **pipes) as waiter,
    ):
        assert holder.stdout.readline() == "ready\n"
        assert waiter.stdout.readline() == "go\n"
        holder.communicate("x")
        assert waiter.communicate()[0] == "GOOD\n"


def test_every_damaged_page_of_the_trees_is_found(database: Path):
    good = database.read_bytes()
    assert len(good) > 5 * PAGE
    for page in range(len(good) // PAGE):
        at = page * PAGE
        database.write_bytes(good[:at] + b"\xff" * PAGE + good[at + PAGE :])
        found = examine_database(database, busy_timeout_ms=0)
        assert found.state is DatabaseState.DAMAGED, page
        assert "is damaged: " in found.detail


def test_a_database_cut_in_the_middle_is_damaged(database: Path):
    os.truncate(database, database.stat().st_size // 2)
    assert examine_database(database, busy_timeout_ms=0).state is DatabaseState.DAMAGED


def test_no_database_at_all_is_damaged(tmp_path: Path):
    (tmp_path / "catalog.db").write_text("these are not the bytes that you are looking for" * 99)
    found = examine_database(tmp_path / "catalog.db", busy_timeout_ms=0)
    assert found.state is DatabaseState.DAMAGED


@pytest.mark.parametrize("script", ["", "CREATE TABLE t (x)"])
def test_a_database_of_others_is_not_turned_into_a_catalog(tmp_path: Path, script: str):
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection:
        connection.executescript(script)
    found = examine_database(tmp_path / "catalog.db", busy_timeout_ms=0)
    assert found.state is DatabaseState.FOREIGN
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
    assert names == ["t"] * bool(script)


def test_the_journal_of_a_killed_process_is_rolled_back(database: Path):
    change = (
        "import os, sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('PRAGMA cache_size = 1'); c.execute('BEGIN');"
        "c.execute('DELETE FROM iceberg_namespace_properties'); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", change, str(database)], check=False)
    assert done.returncode == 9
    journal = database.with_name("catalog.db-journal")
    assert journal.stat().st_size > 0
    assert examine_database(database, busy_timeout_ms=0).state is DatabaseState.GOOD
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(
            "SELECT count(*) FROM iceberg_namespace_properties"
        ).fetchone() == (200,)


@pytest.mark.parametrize(
    ("mode", "state"), [(0o444, DatabaseState.READ_ONLY), (0o000, DatabaseState.UNREADABLE)]
)
def test_a_database_that_an_ordinary_user_may_not_write_or_read(mode, state):
    with open_folder() as folder:
        database = make_catalog(folder / "catalog.db")
        database.chmod(mode)
        found = as_ordinary_user("database", database)
    assert found["state"] == str(state)


def test_a_database_in_a_folder_that_takes_no_journal():
    with open_folder() as folder:
        database = make_catalog(folder / "catalog.db")
        database.chmod(0o666)
        folder.chmod(0o555)
        found = as_ordinary_user("database", database)
        folder.chmod(0o755)
    assert found["state"] == str(DatabaseState.READ_ONLY)
