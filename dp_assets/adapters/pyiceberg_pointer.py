"""Moving a table's pointer: compare-and-swap in a SQL catalog, ``commit_table`` in any other."""

from collections.abc import Callable

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


def swap_pointer(catalog: SqlCatalog, table: TableId, *, old: str, new: str) -> None:
    """Move the pointer from ``old`` to ``new`` in one statement.

    Raises:
        TransientError: it was no longer ``old``, or the database was locked or away.
        PermanentError: the database is read-only, full or damaged.
        OutcomeUnknownError: the database did not answer and cannot be asked what happened.
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
        if not _ask_again(lambda: read_pointer(catalog, table), new=new, table=table, cause=error):
            raise database_verdict(f"commit to {table}", error) from error
        return
    if not moved:
        raise TransientError(f"commit to {table} lost a race", hint=LOST_RACE)


def _ask_again(
    read: Callable[[], str | None], *, new: str, table: TableId, cause: DBAPIError
) -> bool:
    """After a broken answer: did the pointer move? The row itself is the only witness."""
    try:
        return read() == new
    except LakeError as error:
        raise OutcomeUnknownError(
            f"commit to {table}: the catalog broke off ({cause.orig}) and does not answer",
            hint=f"when it is back, 'dp table {table} --history' shows whether the commit is there",
        ) from error
