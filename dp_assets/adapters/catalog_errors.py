"""The errors of a SQL catalog's own database, as ours."""

from collections.abc import Generator
from contextlib import contextmanager

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from dp_assets.adapters.leases_sql import SQLITE_NEEDS_A_PERSON
from dp_assets.adapters.sqlite_lock import explain_locked, sqlite_code
from dp_assets.core.errors import LakeError, PermanentError, TransientError


@contextmanager
def database_errors(catalog: Catalog, doing: str) -> Generator[None, None, None]:
    """Re-raise what the database says as ours; a lock names its holder. Others pass unchanged."""
    if not isinstance(catalog, SqlCatalog):
        yield
        return
    try:
        with explain_locked(catalog.engine):
            yield
    except DBAPIError as error:
        raise database_verdict(doing, error) from error


def database_verdict(doing: str, error: DBAPIError) -> LakeError:
    """Whether the same statement may succeed later. A read-only or damaged file needs a person."""
    what = f"{doing}: the catalog's database says: {error.orig}"
    passing = isinstance(error, OperationalError | InterfaceError)
    if passing and sqlite_code(error) not in SQLITE_NEEDS_A_PERSON:
        return TransientError(what, hint="run it again when the database answers")
    return PermanentError(what, hint="'dp doctor' says what is wrong with the database")
