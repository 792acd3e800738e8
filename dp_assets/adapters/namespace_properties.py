"""Properties of a namespace, which every kind of catalog keeps."""

from collections.abc import Mapping

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError
from sqlalchemy.exc import DBAPIError, IntegrityError

from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.sqlite_lock import explain_locked
from dp_assets.core.errors import ConfigurationError, TransientError


def write_properties(catalog: Catalog, namespace: str, properties: Mapping[str, str]) -> None:
    """Set ``properties`` of ``namespace``, which is made where it is missing.

    Raises:
        ConfigurationError: the catalog's database is read-only for this user.
        TransientError: it is locked, or another process was faster.
    """
    with verdicts(f"write the properties of namespace {namespace}", hint="run it again"):
        if isinstance(catalog, SqlCatalog):
            _write_sql(catalog, namespace, properties)
        else:
            _write(catalog, namespace, properties)


def _write(catalog: Catalog, namespace: str, properties: Mapping[str, str]) -> None:
    try:
        catalog.create_namespace(namespace, dict(properties))
    except NamespaceAlreadyExistsError:
        catalog.update_namespace_properties(namespace, updates=dict(properties))


def _write_sql(catalog: SqlCatalog, namespace: str, properties: Mapping[str, str]) -> None:
    try:
        with explain_locked(catalog.engine):
            _write(catalog, namespace, properties)
    except IntegrityError as error:
        raise TransientError(
            f"namespace {namespace} was made by another process just now", hint="run it again"
        ) from error
    except DBAPIError as error:
        raise ConfigurationError(
            f"namespace {namespace} of catalog {catalog.name} cannot be written: {error.orig}",
            hint="this user must be able to write its database, and a SQLite file's folder",
        ) from error
