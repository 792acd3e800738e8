"""Dumps of a SQLite catalog, taken while others write, and what the check finds in bad ones."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dp_assets.adapters.metastore import sqlite_backup
from dp_assets.adapters.metastore.dump_folder import CATALOG, RECORD
from dp_assets.adapters.metastore.metastore_sqlite import DATABASE, SqliteMetastore, restore_sqlite
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets_tests.adapters.dumps import (
    DAMAGES,
    NAME,
    clock,
    cut_short,
    empty,
    fill,
    flip,
    pointer,
    sign_again,
    state_of,
    versions,
    writers,
)
from dp_assets_tests.adapters.opener import other_process
from dp_assets_tests.adapters.real_lakehouse import content

MOVE_ALL = "UPDATE iceberg_tables SET metadata_location = 'x/' || ? WHERE iceberg_type = 'TABLE'"
LEASE = "INSERT INTO dp_leases VALUES ('t', 7, 'vm pid 1', 4, 99999999999999, 60000)"
LEASES = (
    "CREATE TABLE dp_leases (name TEXT, revision INT, owner TEXT, fencing INT,"
    " expires_at_ms INT, ttl_ms INT)"
)


def execute(path: Path, *statements: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        rows = [connection.execute(statement).fetchall() for statement in statements][-1]
        connection.commit()
    return rows


def metastore(path: Path, *, wait_s: float = 5) -> SqliteMetastore:
    return SqliteMetastore(path, catalog=NAME, now_ms=clock, wait_s=wait_s)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "lake.db"
    fill(f"sqlite:///{path}")
    return path


@pytest.fixture
def folder(database: Path, tmp_path: Path) -> Path:
    """A good dump."""
    metastore(database).dump(tmp_path / "dump")
    return tmp_path / "dump"


def problems(folder: Path) -> str:
    return "; ".join(metastore(folder / "none.db").check(folder).problems)


def test_a_dump_holds_what_the_catalog_holds_and_checks_good(database: Path, tmp_path: Path):
    dumped = metastore(database).dump(tmp_path / "dump")
    assert dumped.state == state_of(3)
    assert dumped.rows == {"iceberg_namespace_properties": 2, "iceberg_tables": 4}
    assert {file.path for file in dumped.files} == {DATABASE, CATALOG, RECORD}
    check = metastore(database).check(tmp_path / "dump")
    assert (check.problems, check.pointers, check.rows) == ((), 3, 6)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_a_commit_between_any_two_pages_never_tears_a_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: str
):
    path = tmp_path / "lake.db"
    fill(f"sqlite:///{path}", tables=500)
    execute(path, f"PRAGMA journal_mode = {journal}")
    monkeypatch.setattr(sqlite_backup, "PAGES_PER_STEP", 2)
    steps: list[int] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:

        def commit(done: int, total: int) -> None:
            steps.append(total)
            other.execute(MOVE_ALL, (len(steps),))

        dumped = metastore(path).dump(tmp_path / "dump", on_progress=commit)
    assert len(steps) > sqlite_backup.RESTARTS  # and yet it ended
    assert len(versions(dumped)) == 1
    assert metastore(path).check(tmp_path / "dump").problems == ()


def test_dumps_taken_under_writing_processes_are_each_one_state(tmp_path: Path):
    path = tmp_path / "lake.db"
    fill(f"sqlite:///{path}", tables=300)
    seen: set[str] = set()
    with writers(f"sqlite:///{path}"):
        for number in range(6):
            folder = tmp_path / f"dump{number}"
            dumped = metastore(path, wait_s=30).dump(folder)
            assert len(versions(dumped)) == 1
            assert metastore(path).check(folder).problems == ()
            seen |= versions(dumped)
    assert len(seen) > 1  # they did write


def test_a_locked_database_is_waited_for_then_named_with_its_process(
    database: Path, tmp_path: Path
):
    with (
        other_process("BEGIN EXCLUSIVE", database) as pid,
        pytest.raises(TransientError, match=rf"{database} is locked by pid {pid} \(python"),
    ):
        metastore(database, wait_s=0.05).dump(tmp_path / "dump")
    assert not (tmp_path / "dump" / RECORD).exists()


def test_a_reader_locks_nobody_out(database: Path, tmp_path: Path):
    with other_process("BEGIN;SELECT * FROM iceberg_tables", database):
        assert metastore(database).dump(tmp_path / "dump").state == state_of(3)


def test_a_damaged_database_gives_no_dump(tmp_path: Path):
    path = tmp_path / "lake.db"
    fill(f"sqlite:///{path}", tables=300)
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 64] = b"\xff" * 64
    path.write_bytes(bytes(content))
    with pytest.raises(PermanentError, match=f"database {path} is damaged"):
        metastore(path).dump(tmp_path / "dump")
    assert not (tmp_path / "dump" / RECORD).exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"no database at all " * 300, "file is not a database"), (b"", "no such table")],
)
def test_what_is_no_catalog_gives_no_dump(tmp_path: Path, content: bytes, says: str):
    (tmp_path / "lake.db").write_bytes(content)
    with pytest.raises(PermanentError, match=says):
        metastore(tmp_path / "lake.db").dump(tmp_path / "dump")


def test_a_missing_database_is_not_made(tmp_path: Path):
    with pytest.raises(PermanentError, match="unable to open"):
        metastore(tmp_path / "lake.db").dump(tmp_path / "dump")
    assert not (tmp_path / "lake.db").exists()


def test_a_folder_with_something_in_it_is_refused(database: Path, folder: Path):
    before = (folder / DATABASE).read_bytes()
    with pytest.raises(PermanentError, match="is not empty"):
        metastore(database).dump(folder)
    assert (folder / DATABASE).read_bytes() == before


@pytest.mark.parametrize("name", [DATABASE, CATALOG])
@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_a_damaged_file_is_named(
    folder: Path, name: str, damage: Callable[[Path], None], says: str
):
    damage(folder / name)
    assert re.search(f"^{name} {says}", problems(folder))


def test_a_foreign_file_is_named(folder: Path):
    (folder / "more.db").write_bytes(b"?")
    assert problems(folder) == "more.db is not part of the dump"


@pytest.mark.parametrize("at", [0.05, 0.3, 0.5, 0.7, 0.95])
def test_an_altered_record_is_named(folder: Path, at: float):
    flip(folder / RECORD, at=at)
    assert RECORD in problems(folder)


def test_a_record_with_another_time_is_named(folder: Path):
    text = (folder / RECORD).read_text()
    (folder / RECORD).write_text(text.replace(str(clock()), str(clock() + 1)))
    assert f"{RECORD} was altered" in problems(folder)


def test_lost_rows_of_any_other_table_are_named(database: Path, tmp_path: Path):
    execute(database, LEASES, LEASE)
    metastore(database).dump(tmp_path / "dump")
    execute(tmp_path / "dump" / DATABASE, "DELETE FROM dp_leases")
    sign_again(tmp_path / "dump")
    assert problems(tmp_path / "dump") == "rows of dp_leases: 0 restored, 1 recorded"


def test_a_dump_without_its_record_is_unfinished(folder: Path):
    (folder / RECORD).unlink()
    assert "is unfinished" in problems(folder)


def test_a_dump_of_a_later_format_is_refused(folder: Path):
    sign_again(folder, format=2)
    assert "is of format 2, this software knows 1" in problems(folder)


# Dumps that hash well and yet do not restore.
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(cut_short, "disk image is malformed|not an Iceberg catalog", id="truncated"),
        pytest.param(empty, "is not an Iceberg catalog: no such table", id="empty"),
        pytest.param(lambda p: p.write_bytes(b"PGDMP" * 99), "not a database", id="other-kind"),
        pytest.param(
            lambda p: execute(p, "DELETE FROM iceberg_tables WHERE table_name = 't00001'"),
            "rows of iceberg_tables: 3 restored, 4 recorded|table raw.t00001: not in the restored",
            id="table-lost",
        ),
        pytest.param(
            lambda p: execute(p, "UPDATE iceberg_tables SET metadata_location = 'file:///old'"),
            "table raw.t00000: file:///old restored, file:///wh/raw/t00000",
            id="pointers-altered",
        ),
        pytest.param(
            lambda p: execute(p, "UPDATE iceberg_namespace_properties SET property_value = 'x'"),
            "namespace ops: .*'x'.* restored",
            id="property-altered",
        ),
    ],
)
def test_a_dump_that_hashes_well_but_does_not_restore(
    folder: Path, damage: Callable[[Path], None], says: str
):
    damage(folder / DATABASE)
    sign_again(folder)
    assert re.search(says, problems(folder))


def test_a_table_added_during_the_dump_is_in_all_of_it_or_in_none(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite_backup, "PAGES_PER_STEP", 1)
    late = "INSERT INTO iceberg_tables VALUES ('lake', 'raw', 'late', 'p', NULL, 'TABLE')"
    done: list[int] = []

    def add(pages: int, total: int) -> None:
        if not done:
            execute(database, late)
        done.append(pages)

    dumped = metastore(database).dump(tmp_path / "dump", on_progress=add)
    inside = execute(tmp_path / "dump" / DATABASE, "SELECT count(*) FROM iceberg_tables")
    assert dumped.pointers[TableId("raw", "late")] == "p"
    assert inside == [(dumped.rows["iceberg_tables"],)] == [(5,)]


def test_restored_the_catalog_is_the_same_and_no_lease_is_alive(database: Path, tmp_path: Path):
    execute(database, LEASES, LEASE)
    metastore(database).dump(tmp_path / "dump")
    target = tmp_path / "next" / "lake.db"
    restore_sqlite(tmp_path / "dump", target)
    again = metastore(target).dump(tmp_path / "again")
    assert again.state == state_of(3)
    leases = execute(target, "SELECT name, revision, fencing, expires_at_ms FROM dp_leases")
    assert leases == [("t", 8, 4, 0)]
    assert execute(database, "SELECT expires_at_ms FROM dp_leases") == [(99999999999999,)]


def test_restoring_refuses_what_is_not_empty(database: Path, folder: Path):
    execute(database, "UPDATE iceberg_tables SET metadata_location = 'mine'")
    with pytest.raises(PermanentError, match=f"{database} is not empty"):
        restore_sqlite(folder, database)
    assert ("mine",) in execute(database, "SELECT metadata_location FROM iceberg_tables")


def test_an_empty_file_is_filled(folder: Path, tmp_path: Path):
    (tmp_path / "new.db").touch()
    restore_sqlite(folder, tmp_path / "new.db")
    where = "SELECT metadata_location FROM iceberg_tables WHERE table_name = 't00002'"
    assert execute(tmp_path / "new.db", where) == [(pointer("t00002", 0),)]


def test_a_dump_that_does_not_restore_leaves_nothing(folder: Path, tmp_path: Path):
    execute(folder / DATABASE, "DELETE FROM iceberg_tables")
    sign_again(folder)
    with pytest.raises(PermanentError, match="does not restore"):
        restore_sqlite(folder, tmp_path / "new" / "lake.db")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_check_changes_nothing_beside_the_dump_even_of_a_wal_database(tmp_path: Path):
    path = tmp_path / "lake.db"
    fill(f"sqlite:///{path}")
    execute(path, "PRAGMA journal_mode = WAL")
    metastore(path).dump(tmp_path / "dump")
    before = content(tmp_path / "dump")
    assert metastore(path).check(tmp_path / "dump").good
    assert content(tmp_path / "dump") == before
