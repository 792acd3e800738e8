"""Dumps of a SQLite catalog: the file ``catalog.db``, by the online backup."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from dp_assets.adapters.local_files import TEMPORARY_SUFFIX, make_folders, sync_folder
from dp_assets.adapters.metastore.catalog_state import (
    count_rows,
    differences,
    has_tables,
    read_sql_state,
    row_differences,
)
from dp_assets.adapters.metastore.dump_folder import (
    finish,
    prepare,
    read_record,
    read_state,
    write_state,
)
from dp_assets.adapters.metastore.dump_loading import Loaded, examined
from dp_assets.adapters.metastore.sqlite_backup import (
    FROZEN,
    LIVE,
    WAIT_S,
    address_of,
    copy_database,
    integrity_problems,
    sqlite_errors,
)
from dp_assets.core.errors import PermanentError
from dp_assets.ports.metastore import (
    CatalogState,
    DumpCheck,
    Dumped,
    Metastore,
    MetastoreKind,
    Progress,
    no_progress,
)

DATABASE = "catalog.db"
# Not deleted: the fencing number of a name goes on, so a writer of before never has a valid lease.
END_LEASES = (
    "UPDATE dp_leases SET expires_at_ms = 0, revision = revision + 1 WHERE expires_at_ms > 0"
)


class SqliteMetastore(Metastore):
    """The SQLite file behind a SQL catalog.

    Args:
        catalog: the catalog's name in the database.
        now_ms: this machine's clock.
        wait_s: how long a lock is waited for.
    """

    kind = MetastoreKind.SQLITE

    def __init__(
        self, path: Path, *, catalog: str, now_ms: Callable[[], int], wait_s: float = WAIT_S
    ) -> None:
        self._path = path
        self._catalog = catalog
        self._now_ms = now_ms
        self._wait_s = wait_s

    def dump(self, into: Path, *, on_progress: Progress = no_progress) -> Dumped:
        prepare(into)
        copy = into / DATABASE
        copy_database(self._path, copy, wait_s=self._wait_s, on_progress=on_progress)
        taken_at_ms = self._now_ms()
        if problems := integrity_problems(copy):
            raise PermanentError(
                f"database {self._path} is damaged: {'; '.join(problems)}",
                hint="restore it from the last dump: 'dp dump --list', 'dp dump --restore'",
            )
        try:
            state, rows = _read(copy, self._catalog)
        except DBAPIError as error:
            raise PermanentError(
                f"database {self._path} is not an Iceberg catalog: {error.orig}",
                hint="is catalog.uri in lakehouse.yaml the right one?",
            ) from error
        write_state(into, self._catalog, state)
        return finish(
            into,
            Dumped(
                kind=self.kind,
                catalog=self._catalog,
                address=f"sqlite:///{self._path}",
                server_version=sqlite3.sqlite_version,
                taken_at_ms=taken_at_ms,
                state=state,
                rows=rows,
            ),
        )

    def check(self, folder: Path) -> DumpCheck:
        return check_sqlite(folder, now_ms=self._now_ms())


def check_sqlite(folder: Path, *, now_ms: int) -> DumpCheck:
    """Restore the dump into a scratch file and compare; needs nothing but the folder."""

    def load() -> Loaded:
        with tempfile.TemporaryDirectory(prefix="dp-dump-") as scratch:
            return _load(folder, Path(scratch) / DATABASE)

    return examined(folder, load, scratch="scratch SQLite file", now_ms=now_ms)


def restore_sqlite(folder: Path, target: Path) -> None:
    """Make ``target`` the catalog's database as dumped, leases ended; it appears whole or not.

    Raises PermanentError: ``target`` has tables in it, or the dump does not restore whole.
    """
    with appearing(target) as temporary:
        if problems := _load(folder, temporary).problems:
            raise PermanentError(
                f"dump {folder.name} does not restore: {'; '.join(problems)}",
                hint="choose another one with 'dp dump --list'; nothing was changed",
            )


@contextmanager
def appearing(target: Path) -> Generator[Path, None, None]:
    """A path for a new database, which becomes ``target`` when the block ends well.

    Raises PermanentError when ``target`` has tables in it.
    """
    refuse_filled(target)
    make_folders(target.parent)
    temporary = target.with_name(f".{target.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        refuse_filled(target)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def refuse_filled(target: Path) -> None:
    """Raises PermanentError when ``target`` is a database with tables, or no database at all."""
    if not target.exists():
        return
    try:
        with opened_file(target, mode=LIVE) as connection:
            filled = has_tables(connection)
    except DBAPIError as error:
        raise PermanentError(
            f"{target} is there and cannot be read: {error.orig}", hint="name a file that is not"
        ) from error
    if filled:
        raise PermanentError(
            f"{target} is not empty", hint="restore into a new file, then look at both"
        )


@contextmanager
def opened_file(path: Path, *, mode: str = FROZEN) -> Generator[Connection, None, None]:
    """A connection for the length of a block; the file is closed afterwards."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(address_of(path, mode), uri=True),
        poolclass=NullPool,
    )
    with engine.connect() as connection:
        yield connection


def _read(path: Path, catalog: str) -> tuple[CatalogState, dict[str, int]]:
    with opened_file(path) as connection:
        return read_sql_state(connection, catalog), count_rows(connection)


def _load(folder: Path, target: Path) -> Loaded:
    """The dump as a database at ``target``, and how it differs from what was recorded."""
    record, expected = read_record(folder), read_state(folder)
    source = folder / DATABASE
    if problems := integrity_problems(source):
        return Loaded(tuple(f"{DATABASE}: {problem}" for problem in problems))
    copy_database(source, target, mode=FROZEN)
    end_leases(target)
    try:
        state, rows = _read(target, record.catalog)
    except DBAPIError as error:
        return Loaded((f"{DATABASE} is not an Iceberg catalog: {error.orig}",))
    wrong = (*differences(expected, state), *row_differences(record.rows, rows))
    return Loaded(wrong, pointers=len(state.pointers), rows=sum(rows.values()))


def end_leases(path: Path) -> None:
    """No lease of the dumped catalog is alive in the restored one."""
    with (
        sqlite_errors(path, f"end the leases in {path}"),
        closing(sqlite3.connect(path)) as connection,
    ):
        has_leases = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'dp_leases'"
        if connection.execute(has_leases).fetchone():
            connection.execute(END_LEASES)
            connection.commit()
        # One file, whatever the journal mode of the original: it is going to be renamed.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
