"""Moving a table's pointer: compare-and-swap in a SQL catalog, ``commit_table`` in any other."""

from collections.abc import Callable
from dataclasses import dataclass

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import TableAlreadyExistsError
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from dp_assets.adapters.catalog_errors import database_errors, database_verdict
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.sqlite_lock import explain_locked
from dp_assets.core.errors import (
    LakeError,
    OutcomeUnknownError,
    PermanentError,
    TransientError,
)
from dp_assets.core.ids import TableId

LOST_RACE = "another writer committed first; run it again, the plan is made anew"


def read_pointer(catalog: Catalog, table: TableId) -> str | None:
    """Where the catalog says the table's metadata is; None when there is no such table.

    SQL catalogs answer from one row, without opening the metadata file.
    """
    if not isinstance(catalog, SqlCatalog):
        with verdicts(f"look up {table}", hint="check the catalog with 'dp doctor'"):
            if not catalog.table_exists(table.identifier):
                return None
            return catalog.load_table(table.identifier).metadata_location
    wanted = select(IcebergTables.metadata_location).where(
        IcebergTables.catalog_name == catalog.name,
        IcebergTables.table_namespace == table.namespace,
        IcebergTables.table_name == table.name,
    )
    with database_errors(catalog, f"look up {table}"), Session(catalog.engine) as session:
        return session.scalars(wanted).first()


def existing_pointer(catalog: Catalog, table: TableId) -> str:
    """Like :func:`read_pointer`. Raises PermanentError when there is no such table."""
    pointer = read_pointer(catalog, table)
    if pointer is None:
        raise PermanentError(
            f"there is no table {table} in catalog {catalog.name}", hint="see 'dp tables'"
        )
    return pointer


def insert_pointer(catalog: SqlCatalog, table: TableId, pointer: str) -> None:
    """Enter a table that the catalog does not have.

    PyIceberg's own way also loads the table, and for that PyArrow's datasets and pandas.
    Raises TableAlreadyExistsError, and what the database raises.
    """
    row = catalog._create_table_row(table.namespace, table.name, pointer)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    try:
        with Session(catalog.engine) as session:
            session.execute(insert(IcebergTables).values(**row))
            session.commit()
    except IntegrityError as error:
        raise TableAlreadyExistsError(f"Table {table} already exists") from error


def nobody_knows(_pointer: str) -> bool | None:
    """Whether a later metadata file was made from ours cannot be told."""
    return None


def swap_pointer(
    catalog: SqlCatalog,
    table: TableId,
    *,
    old: str,
    new: str,
    stands_on: Callable[[str], bool | None] = nobody_knows,
) -> None:
    """Move the pointer from ``old`` to ``new`` in one statement.

    Args:
        catalog: of the table.
        table: to move.
        old: where it must be.
        new: where it is to be.
        stands_on: asked when the answer was lost and others have committed since: whether the
            table at that pointer was made from ``new``; None: it cannot be told.

    Raises:
        TransientError: it was no longer ``old``, or the database was locked or away.
        PermanentError: the database is read-only, full or damaged.
        OutcomeUnknownError: the database did not answer, and what happened cannot be found out.
    """
    statement = (
        update(IcebergTables)
        .where(
            IcebergTables.catalog_name == catalog.name,
            IcebergTables.table_namespace == table.namespace,
            IcebergTables.table_name == table.name,
            IcebergTables.metadata_location == old,
        )
        .values(metadata_location=new, previous_metadata_location=old)
    )
    try:
        with explain_locked(catalog.engine), Session(catalog.engine) as session:
            moved = session.execute(statement).rowcount  # pyright: ignore[reportAttributeAccessIssue]
            session.commit()
    except DBAPIError as error:
        broken = _BrokenAnswer(table, old=old, new=new, cause=error)
        if broken.landed(lambda: read_pointer(catalog, table), stands_on):
            return
        raise database_verdict(f"commit to {table}", error) from error
    if not moved:
        raise TransientError(f"commit to {table} lost a race", hint=LOST_RACE)


@dataclass(frozen=True, slots=True)
class _BrokenAnswer:
    """A swap whose answer was lost: the row itself is the witness, then whoever came after us."""

    table: TableId
    old: str
    new: str
    cause: DBAPIError

    def landed(
        self, read: Callable[[], str | None], stands_on: Callable[[str], bool | None]
    ) -> bool:
        """Did the pointer move? Raises OutcomeUnknownError when nobody can tell."""
        try:
            now = read()
            if now in (self.old, self.new):
                return now == self.new
            found = None if now is None else stands_on(now)
        except LakeError as error:
            raise self._unknown("and does not answer") from error
        if found is None:
            raise self._unknown("and others have moved the table since") from self.cause
        if not found:
            raise TransientError(
                f"commit to {self.table} lost a race", hint=LOST_RACE
            ) from self.cause
        return True

    def _unknown(self, why: str) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"commit to {self.table}: the catalog broke off ({self.cause.orig}) {why}",
            hint=f"when it is back, 'dp table {self.table} --history' shows whether the commit "
            "is there",
        )
