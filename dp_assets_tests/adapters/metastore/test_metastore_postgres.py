"""Dumps of a catalog on a real PostgreSQL, taken while others write, and what the check finds."""

import gzip
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, make_url, text

from dp_assets.adapters.metastore import metastore_postgres
from dp_assets.adapters.metastore.dump_folder import CATALOG, RECORD, read_record
from dp_assets.adapters.metastore.metastore_postgres import (
    ARCHIVE,
    DRIVER,
    PostgresMetastore,
    check_postgres,
    restore_postgres,
)
from dp_assets.adapters.metastore.metastores import restore_to
from dp_assets.adapters.metastore.postgres_scratch import LEFT_OVER_MS, PREFIX, throwaway_server
from dp_assets.adapters.metastore.postgres_tools import find_tools
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets_tests.adapters.dumps import (
    DAMAGES,
    NAME,
    clock,
    cut_short,
    empty,
    fill,
    flip,
    sign_again,
    state_of,
    versions,
    writers,
)
from dp_assets_tests.services import Postgres

OLD = 16
LEASES = (
    "CREATE TABLE dp_leases (name text, revision bigint, owner text, fencing bigint,"
    " expires_at_ms bigint, ttl_ms bigint)"
)
LEASE = "INSERT INTO dp_leases VALUES ('t', 7, 'vm pid 1', 4, 99999999999999, 60000)"


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        results = [connection.execute(text(statement)) for statement in statements]
        rows = [tuple(row) for row in results[-1]] if results[-1].returns_rows else []
    engine.dispose()
    return rows


def metastore(url: str, bin_dir: Path | None = None) -> PostgresMetastore:
    return PostgresMetastore(url, catalog=NAME, now_ms=clock, bin_dir=bin_dir)


@pytest.fixture
def database(postgres: Postgres) -> str:
    """A database with a filled catalog."""
    fill(postgres.url)
    return postgres.url


@pytest.fixture
def folder(database: str, tmp_path: Path) -> Path:
    """A good dump."""
    metastore(database).dump(tmp_path / "dump")
    return tmp_path / "dump"


def scratches(url: str) -> list[tuple[object, ...]]:
    return execute(url, f"SELECT datname FROM pg_database WHERE datname LIKE '{PREFIX}%'")


def test_a_dump_holds_what_the_catalog_holds_and_checks_good(database: str, tmp_path: Path):
    dumped = metastore(database).dump(tmp_path / "dump")
    assert dumped.state == state_of(3)
    tables = {"public.iceberg_namespace_properties": 2, "public.iceberg_tables": 4}
    assert dumped.rows == tables
    assert {f.path for f in dumped.files} >= {f"{ARCHIVE}/toc.dat", CATALOG, RECORD}
    check = metastore(database).check(tmp_path / "dump")
    assert (check.problems, check.pointers, check.rows) == ((), 3, 6)
    assert scratches(database) == []


def test_the_password_is_in_no_argument_and_in_no_file(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []

    def look(command: list[object], **options: object) -> object:
        seen.extend(map(str, command))
        return original(command, **options)

    original = subprocess.Popen
    monkeypatch.setattr("subprocess.Popen", look)
    metastore(database).dump(tmp_path / "dump")
    password = str(make_url(database).password)
    assert any("--snapshot=" in argument for argument in seen)
    assert not [argument for argument in seen if password in argument]
    assert password not in (tmp_path / "dump" / RECORD).read_text()


def test_dumps_taken_under_writing_processes_are_each_one_state(postgres: Postgres, tmp_path: Path):
    fill(postgres.url, tables=300)
    seen: set[str] = set()
    with writers(postgres.url):
        for number in range(4):
            folder = tmp_path / f"dump{number}"
            dumped = metastore(postgres.url).dump(folder)
            assert len(versions(dumped)) == 1
            # The loaded archive has the very pointers and rows that we read beside it.
            assert metastore(postgres.url).check(folder).problems == ()
            seen |= versions(dumped)
    assert len(seen) > 1  # they did write


def test_tables_added_and_moved_during_the_dump_are_not_in_it(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    export = metastore_postgres._export_snapshot

    def meanwhile(connection: Connection) -> str:
        """Others commit after the cut and before pg_dump has started."""
        snapshot = export(connection)
        execute(
            database,
            "INSERT INTO iceberg_tables VALUES ('lake', 'raw', 'late', 'p', NULL, 'TABLE')",
            "UPDATE iceberg_tables SET metadata_location = 'moved'",
            "CREATE TABLE added (id int)",
        )
        return snapshot

    monkeypatch.setattr(metastore_postgres, "_export_snapshot", meanwhile)
    dumped = metastore(database).dump(tmp_path / "dump")
    monkeypatch.undo()
    assert dumped.state == state_of(3)
    assert metastore(database).check(tmp_path / "dump").problems == ()


def problems(folder: Path, database: str) -> str:
    return "; ".join(metastore(database).check(folder).problems)


def archive_file(folder: Path, name: str) -> Path:
    """``toc.dat``, or the biggest file with data."""
    files = sorted((folder / ARCHIVE).glob("*.gz"), key=lambda file: file.stat().st_size)
    return folder / ARCHIVE / "toc.dat" if name == "toc" else files[-1]


@pytest.mark.parametrize("name", ["toc", "data"])
@pytest.mark.parametrize(("damage", "says"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_a_damaged_file_is_named(
    folder: Path, database: str, name: str, damage: Callable[[Path], None], says: str
):
    file = archive_file(folder, name)
    damage(file)
    assert re.search(f"^{ARCHIVE}/{file.name} {says}", problems(folder, database))


# Dumps that hash well and yet do not restore.
@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        pytest.param("toc", cut_short, "pg_restore: ", id="truncated"),
        pytest.param("toc", empty, "pg_restore: ", id="empty"),
        pytest.param("toc", lambda p: flip(p, at=0), "pg_restore: ", id="no-archive"),
        pytest.param("data", cut_short, "(pg_restore|psql): ", id="data-truncated"),
        pytest.param("data", empty, "pg_restore|psql|rows of public.iceberg", id="data-empty"),
        pytest.param("data", Path.unlink, "pg_restore: ", id="data-lost"),
    ],
)
def test_a_dump_that_hashes_well_but_does_not_restore(
    folder: Path, database: str, name: str, damage: Callable[[Path], None], says: str
):
    damage(archive_file(folder, name))
    sign_again(folder)
    assert re.search(says, problems(folder, database))
    assert scratches(database) == []


def test_an_archive_of_a_later_version_is_named(folder: Path, database: str):
    toc = archive_file(folder, "toc")
    content = bytearray(toc.read_bytes())
    content[6] = 99  # after "PGDMP": major, minor
    toc.write_bytes(bytes(content))
    sign_again(folder)
    assert re.search(r"unsupported version \(1\.99\) in file header", problems(folder, database))


def test_other_pointers_than_recorded_are_named(folder: Path, database: str):
    content = json.loads((folder / CATALOG).read_text())
    content["tables"]["raw"]["t00001"] = "file:///other"
    (folder / CATALOG).write_text(json.dumps(content))
    sign_again(folder)
    assert "table raw.t00001: file:///wh/raw/t00001" in problems(folder, database)


def test_a_check_needs_nothing_but_the_folder(folder: Path):
    check = check_postgres(folder, now_ms=clock())
    assert (check.problems, check.pointers, check.scratch) == ((), 3, "throwaway server")


def test_a_user_who_may_not_create_databases_gets_a_server_of_its_own(database: str, folder: Path):
    user = f"u{make_url(database).database}"
    execute(database, f"CREATE ROLE {user} LOGIN PASSWORD 'hunter2'")
    url = make_url(database).set(username=user, password="hunter2")  # noqa: S106
    check = metastore(url.render_as_string(hide_password=False)).check(folder)
    assert (check.problems, check.scratch) == ((), "throwaway server")


def test_scratches_of_killed_checks_are_dropped_after_a_day(database: str, folder: Path):
    old, young = clock() - LEFT_OVER_MS - 1, clock() - 1
    execute(database, f"CREATE DATABASE {PREFIX}{old}_ab", f"CREATE DATABASE {PREFIX}{young}_ab")
    metastore(database).check(folder)
    assert scratches(database) == [(f"{PREFIX}{young}_ab",)]
    execute(database, f"DROP DATABASE {PREFIX}{young}_ab")


def test_restored_the_catalog_is_the_same_and_no_lease_is_alive(
    postgres: Postgres, database: str, tmp_path: Path
):
    execute(database, LEASES, LEASE)
    metastore(database).dump(tmp_path / "dump")
    target = postgres.create_database()
    restore_postgres(tmp_path / "dump", target)
    assert metastore(target).dump(tmp_path / "again").state == state_of(3)
    leases = execute(target, "SELECT name, revision, fencing, expires_at_ms FROM dp_leases")
    assert leases == [("t", 8, 4, 0)]
    assert execute(database, "SELECT expires_at_ms FROM dp_leases") == [(99999999999999,)]


def test_restoring_refuses_what_is_not_empty(folder: Path, database: str):
    with pytest.raises(PermanentError, match="is not empty"):
        restore_postgres(folder, database)


def test_a_restore_that_fails_leaves_nothing(folder: Path, postgres: Postgres):
    target = postgres.create_database()
    data = archive_file(folder, "data")
    rows = gzip.decompress(data.read_bytes())
    data.write_bytes(gzip.compress(rows.splitlines(keepends=True)[0] + rows))
    sign_again(folder)
    with pytest.raises(PermanentError, match="could not create unique index"):
        restore_postgres(folder, target)  # after the tables are made and filled
    assert execute(target, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []


def test_between_an_old_and_a_new_server(postgres: Postgres, folder: Path, tmp_path: Path):
    old_tools = find_tools(OLD, doing="this test")
    assert old_tools.major == OLD
    with throwaway_server(old_tools, driver=DRIVER) as url:
        old = url.render_as_string(hide_password=False)
        with pytest.raises(PermanentError, match="transaction_timeout"):
            restore_postgres(folder, old)  # a dump of 18: refused by name, nothing is there
        assert execute(old, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []
        fill(old)
        metastore(old).dump(tmp_path / "old")
    assert read_record(tmp_path / "old").tool_version.startswith(f"{OLD}.")
    new = postgres.create_database()
    restore_postgres(tmp_path / "old", new)
    assert metastore(new).dump(tmp_path / "new").state == state_of(3)


def test_a_dump_of_postgresql_comes_back_as_a_sqlite_catalog(folder: Path, tmp_path: Path):
    target = tmp_path / "next.db"
    assert restore_to(folder, f"sqlite:///{target}") == ()
    from dp_assets.adapters.metastore.metastore_sqlite import SqliteMetastore

    back = SqliteMetastore(target, catalog=NAME, now_ms=clock).dump(tmp_path / "back")
    assert back.state == state_of(3)


def test_a_locked_table_is_waited_for_then_named(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(metastore_postgres, "LOCK_WAIT_MS", 200)
    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE iceberg_tables IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(TransientError, match="lock timeout"):
            metastore(database).dump(tmp_path / "dump")
    engine.dispose()
    assert not (tmp_path / "dump" / RECORD).exists()


def test_a_server_that_is_away_is_passing(tmp_path: Path):
    away = metastore(f"{DRIVER}://u@/lake?host={tmp_path}")
    with pytest.raises(TransientError, match="dump the catalog"):
        away.dump(tmp_path / "dump")
