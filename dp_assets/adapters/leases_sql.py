"""Leases in the SQL catalog's own database, one row per name."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager

from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, String, Table, Text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.schema import CreateTable

from dp_assets.adapters.leases_polling import PollingLeases, Revision, never_gone
from dp_assets.adapters.sqlite_lock import explain_locked, sqlite_code, wait_for_locks
from dp_assets.core.errors import LakeError, PermanentError, TransientError
from dp_assets.ports.leases import Lease

LEASES = Table(
    "dp_leases",
    MetaData(),
    Column("name", String(512), primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("fencing", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Column("ttl_ms", BigInteger, nullable=False),
)
# SQLite's READONLY, CORRUPT, FULL, CANTOPEN, NOTADB: sqlite.org/rescode.html
SQLITE_NEEDS_A_PERSON = (8, 11, 13, 14, 26)


class SqlLeases(PollingLeases):
    """Leases in table ``dp_leases`` of SQLite or PostgreSQL, made when first needed.

    Every change is one statement in a transaction of its own: an INSERT under the primary key, or
    an UPDATE of exactly the revision that was read. A locked SQLite database is waited for
    ``busy_timeout_ms``, which holds for all later connections of ``engine``, the catalog's too.
    A database that breaks off leaves open whether the change landed; a lease that nobody knows
    of then ends at its expiry.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        now_ms: Callable[[], int],
        sleep: Callable[[float], None],
        poll_ms: int = 100,
        is_gone: Callable[[str], bool] = never_gone,
        busy_timeout_ms: int = 30_000,
    ) -> None:
        super().__init__(now_ms=now_ms, sleep=sleep, poll_ms=poll_ms, is_gone=is_gone)
        self._engine = engine
        self._made = False
        wait_for_locks(engine, busy_timeout_ms=busy_timeout_ms)

    def _newest(self, name: str) -> Revision | None:
        with self._transaction() as connection:
            row = connection.execute(LEASES.select().where(LEASES.c.name == name)).first()
        if row is None:
            return None
        lease = Lease(row.name, row.owner, fencing=row.fencing, expires_at_ms=row.expires_at_ms)
        return Revision(row.revision, lease, ttl_ms=row.ttl_ms)

    def _create(self, revision: Revision) -> bool:
        lease = revision.lease
        values = {
            "revision": revision.number,
            "owner": lease.owner,
            "fencing": lease.fencing,
            "expires_at_ms": lease.expires_at_ms,
            "ttl_ms": revision.ttl_ms,
        }
        if revision.number == 1:
            return self._insert({"name": lease.name, **values})
        seen = (LEASES.c.name == lease.name) & (LEASES.c.revision == revision.number - 1)
        with self._transaction() as connection:
            return connection.execute(LEASES.update().where(seen).values(values)).rowcount == 1

    def _insert(self, values: dict[str, str | int]) -> bool:
        try:
            with self._transaction() as connection:
                connection.execute(LEASES.insert().values(values))
        except IntegrityError:
            return False
        return True

    def _all(self) -> Iterable[Lease]:
        with self._transaction() as connection:
            rows = connection.execute(LEASES.select()).all()
        return [
            Lease(r.name, r.owner, fencing=r.fencing, expires_at_ms=r.expires_at_ms) for r in rows
        ]

    @contextmanager
    def _transaction(self) -> Generator[Connection, None, None]:
        """A short transaction; everything but a broken unique key becomes one of our errors."""
        try:
            with explain_locked(self._engine):
                self._make_table()
                with self._engine.begin() as connection:
                    yield connection
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise self._verdict(error) from error

    def _make_table(self) -> None:
        if self._made:
            return
        try:
            with self._engine.begin() as connection:
                connection.execute(CreateTable(LEASES, if_not_exists=True))
        except IntegrityError:
            pass  # PostgreSQL, when two create it at the same moment: it is there
        self._made = True

    def _verdict(self, error: DBAPIError) -> LakeError:
        what = f"leases in {self._engine.url.render_as_string(hide_password=True)}: {error.orig}"
        passing = isinstance(error, OperationalError | InterfaceError)
        if passing and sqlite_code(error) not in SQLITE_NEEDS_A_PERSON:
            return TransientError(what, hint="run it again when the database answers")
        return PermanentError(
            what, hint="'dp doctor' says what is wrong with the catalog's database"
        )
