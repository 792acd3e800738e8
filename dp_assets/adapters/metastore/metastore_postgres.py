"""Dumps of a PostgreSQL catalog: pg_dump's folder ``pg/``, at one snapshot with our own reading.

Our connection exports its snapshot and pg_dump reads at that very snapshot, so the pointers of the
cut and those of the dump are the same ones, whatever others commit meanwhile.
"""

import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from dp_assets.adapters.catalog_errors import database_verdict
from dp_assets.adapters.catalogs import address
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
from dp_assets.adapters.metastore.dump_loading import Loaded, NotRestoringError, examined
from dp_assets.adapters.metastore.postgres_scratch import (
    NoScratchError,
    scratch_database,
    throwaway_server,
)
from dp_assets.adapters.metastore.postgres_tools import Tools, find_tools, major_of, run, running
from dp_assets.core.errors import PermanentError
from dp_assets.ports.metastore import (
    DumpCheck,
    Dumped,
    Metastore,
    MetastoreKind,
    Progress,
    no_progress,
)

ARCHIVE = "pg"
JOBS = 2
LOCK_WAIT_MS = 30_000
DRIVER = "postgresql+psycopg2"
# Owners, rights and comments belong to the server it came from; comments on extensions would need
# its superuser.
OURS_ONLY = ("--no-owner", "--no-privileges", "--no-comments", "--no-publications")
# Not deleted: the fencing number of a name goes on, so a writer of before never has a valid lease.
END_LEASES = """\
DO $$ DECLARE leases regclass; BEGIN
  FOR leases IN SELECT oid FROM pg_class WHERE relname = 'dp_leases' AND relkind = 'r' LOOP
    EXECUTE format('UPDATE %s SET expires_at_ms = 0, revision = revision + 1'
                   ' WHERE expires_at_ms > 0', leases);
  END LOOP;
END $$;
"""


class PostgresMetastore(Metastore):
    """The PostgreSQL database behind a SQL catalog.

    Args:
        uri: SQLAlchemy's address. A password in it, in PGPASSWORD or in a passfile is used and
            never shown.
        catalog: the catalog's name in the database.
        now_ms: this machine's clock.
        bin_dir: where pg_dump, pg_restore and psql are; None: they are looked for.
        jobs: connections of pg_dump.
    """

    kind = MetastoreKind.POSTGRESQL

    def __init__(
        self,
        uri: str,
        *,
        catalog: str,
        now_ms: Callable[[], int],
        bin_dir: Path | None = None,
        jobs: int = JOBS,
    ) -> None:
        self._url = make_url(uri)
        self._catalog = catalog
        self._now_ms = now_ms
        self._bin_dir = bin_dir
        self._jobs = jobs

    def dump(self, into: Path, *, on_progress: Progress = no_progress) -> Dumped:
        prepare(into)
        with connected(self._url, "dump the catalog") as connection:
            version = str(connection.execute(text("SHOW server_version")).scalar_one())
            tools = self._tools(major_of(version), "a dump of this server")
            connection.rollback()
            snapshot = _export_snapshot(connection)
            taken_at_ms = self._now_ms()
            with running(tools, "pg_dump", self._arguments(into, snapshot), url=self._url):
                state = read_sql_state(connection, self._catalog)
                rows = count_rows(connection, on_progress)
                write_state(into, self._catalog, state)
        return finish(
            into,
            Dumped(
                kind=self.kind,
                catalog=self._catalog,
                address=address(self._url.render_as_string()),
                server_version=version.split()[0],
                tool_version=tools.version,
                taken_at_ms=taken_at_ms,
                state=state,
                rows=rows,
            ),
        )

    def check(self, folder: Path) -> DumpCheck:
        now_ms = self._now_ms()
        with connected(self._url, "check the dump") as connection:
            server = major_of(str(connection.execute(text("SHOW server_version")).scalar_one()))

        def load() -> Loaded:
            tools = self._tools(max(server, dumped_by(folder)), "the check of this dump")
            with scratch_database(self._url, now_ms=now_ms) as scratch:
                return load_and_compare(folder, scratch, tools)

        try:
            with database_verdicts("check the dump"):
                return examined(folder, load, scratch="scratch database there", now_ms=now_ms)
        except NoScratchError:
            return check_postgres(folder, now_ms=now_ms, bin_dir=self._bin_dir)

    def _tools(self, major: int, doing: str) -> Tools:
        return find_tools(major, bin_dir=self._bin_dir, doing=doing)

    def _arguments(self, into: Path, snapshot: str) -> list[str]:
        return [
            "--format=directory",
            f"--file={into / ARCHIVE}",
            f"--jobs={self._jobs}",
            f"--snapshot={snapshot}",
            f"--lock-wait-timeout={LOCK_WAIT_MS}",
            "--no-password",
            "--no-sync",  # every file is put on the disk when the dump is finished
        ]


def check_postgres(folder: Path, *, now_ms: int, bin_dir: Path | None = None) -> DumpCheck:
    """Restore the dump on a server of its own and compare; needs the folder and the programs."""

    def load() -> Loaded:
        tools = find_tools(dumped_by(folder), bin_dir=bin_dir, doing="the check of this dump")
        with throwaway_server(tools, driver=DRIVER) as scratch:
            return load_and_compare(folder, scratch, tools)

    with database_verdicts("check the dump"):
        return examined(folder, load, scratch="throwaway server", now_ms=now_ms)


def restore_postgres(folder: Path, uri: str, *, bin_dir: Path | None = None) -> None:
    """Fill the empty database at ``uri`` as dumped, leases ended, in one transaction.

    Raises:
        PermanentError: the database is not empty, or the dump does not restore.
        ConfigurationError: the programs are missing or too old.
    """
    url = make_url(uri)
    with connected(url, f"restore {folder.name}") as connection:
        if has_tables(connection):
            raise PermanentError(
                f"database {url.database} is not empty",
                hint="create a new one and restore into that; nothing was changed",
            )
        server = major_of(str(connection.execute(text("SHOW server_version")).scalar_one()))
    tools = find_tools(max(server, dumped_by(folder)), bin_dir=bin_dir, doing="this restore")
    with database_verdicts(f"restore {folder.name}"):
        problems = load_and_compare(folder, url, tools).problems
    if problems:
        raise PermanentError(
            f"dump {folder.name} was restored and differs: {'; '.join(problems)}",
            hint="do not use that database; choose another dump with 'dp dump --list'",
        )


def dumped_by(folder: Path) -> int:
    """The version of pg_dump that wrote the dump: older programs cannot read it."""
    return major_of(read_record(folder).tool_version)


def load_and_compare(folder: Path, url: URL, tools: Tools) -> Loaded:
    """Load the dump into the empty database at ``url``, all or nothing, and read it back.

    Raises NotRestoringError when the dump, or its version, is why that fails.
    """
    record, expected = read_record(folder), read_state(folder)
    with tempfile.TemporaryDirectory(prefix="dp-dump-") as scratch:
        script, leases = Path(scratch) / "dump.sql", Path(scratch) / "leases.sql"
        # First whole on the disk: psql would commit what a broken pipe has brought so far.
        arguments = [*OURS_ONLY, f"--file={script}", str(folder / ARCHIVE)]
        run(tools, "pg_restore", arguments, url=url, refused=NotRestoringError)
        leases.write_text(END_LEASES)
        run(
            tools,
            "psql",
            ["-X", "-q", "-w", "-1", "-v", "ON_ERROR_STOP=1", "-f", str(script), "-f", str(leases)],
            url=url,
            refused=NotRestoringError,
        )
    with connected(url, "read the restored dump") as connection:
        rows = count_rows(connection)
        wrong = row_differences(record.rows, rows)
        state = None if wrong else read_sql_state(connection, record.catalog)
    if state is None:
        return Loaded(wrong, rows=sum(rows.values()))
    return Loaded(
        differences(expected, state), pointers=len(state.pointers), rows=sum(rows.values())
    )


@contextmanager
def connected(url: URL, doing: str) -> Generator[Connection, None, None]:
    """One connection of our own for the length of a block, with the database's errors as ours."""
    engine = create_engine(url, poolclass=NullPool)
    with database_verdicts(doing), engine.connect() as connection:
        yield connection


@contextmanager
def database_verdicts(doing: str) -> Generator[None, None, None]:
    """Re-raise what the database says as ours."""
    try:
        yield
    except DBAPIError as error:
        raise database_verdict(doing, error) from error


def _export_snapshot(connection: Connection) -> str:
    """Fix what this transaction sees, and let pg_dump see the same while it is open."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_WAIT_MS:d}"))
    return str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())
