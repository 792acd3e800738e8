"""Opening a PyIceberg catalog from settings, with the errors a person meets there."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import NotInstalledError
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.sqlite_lock import is_locked_error, locked
from dp_assets.core.errors import ConfigurationError, LakeError, PermanentError, TransientError

SQLITE_TIMEOUT_S = 30
# Loaded by PyIceberg when a table's files are first written or read: its import takes seconds.
DURABLE_IO = "dp_assets.adapters.durable_io.DurableFileIO"


def open_catalog(
    name: str, *, kind: str, uri: str, warehouse: str, properties: Mapping[str, str]
) -> Catalog:
    """The catalog, connected. Its files are written durably (see ``durable_io``).

    Raises:
        ConfigurationError: the address is not one, or its driver is not installed.
        PermanentError: the database is damaged or refuses us.
        TransientError: the server does not answer, or another process has the file locked.
    """
    settings = {
        "py-io-impl": DURABLE_IO,
        "warehouse": warehouse,
        "uri": _patient(uri) if kind == "sql" else uri,
        **properties,
    }
    with verdicts(f"open catalog {name}", hint="is its server up? see catalog in lakehouse.yaml"):
        return _loaded(name, kind, settings)


def _loaded(name: str, kind: str, settings: dict[str, str]) -> Catalog:
    """Raises ours for what is wrong with a database, and PyIceberg's own errors."""
    try:
        return load_catalog(name, type=kind, **settings)
    except OperationalError as error:
        raise _not_answering(name, settings["uri"], error) from error
    except (DBAPIError, sqlite3.DatabaseError) as error:
        raise PermanentError(
            f"catalog {name} cannot be read: {getattr(error, 'orig', error)}",
            hint="restore the database from its last dump; the tables' files are not touched",
        ) from error
    except NotInstalledError as error:
        raise ConfigurationError(
            f"catalog {name} needs a package that is not installed: {error.__cause__ or error}",
            hint="install it beside dp-assets, or choose another driver in catalog.uri",
        ) from error
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError(
            f"catalog {name} cannot be opened: {error}", hint="see catalog.uri in lakehouse.yaml"
        ) from error


def _not_answering(name: str, uri: str, error: OperationalError) -> LakeError:
    if is_locked_error(error):
        return locked(create_engine(uri))
    if sqlite_file(uri) is not None:
        return PermanentError(
            f"catalog {name} cannot be opened: {error.orig}",
            hint=f"give this user the right to read and write {sqlite_file(uri)} and its folder",
        )
    return TransientError(
        f"catalog {name} does not answer: {error.orig}", hint="is its server up? see 'dp doctor'"
    )


def sqlite_file(uri: str) -> Path | None:
    """The database file behind a SQLite address; None for any other."""
    if not uri.startswith("sqlite"):
        return None
    database = make_url(uri).database
    return Path(database) if database and database != ":memory:" else None


def address(uri: str) -> str:
    """``uri`` without user, password and options: fit to be recorded, compared and shown.

    Over a Unix socket the options say which server it is: PostgreSQL's host and port are kept.
    """
    parts = urlsplit(uri)
    options = dict(parse_qsl(parts.query))
    host = parts.hostname or options.get("host", "")
    port = parts.port or options.get("port", "")
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def _patient(uri: str) -> str:
    """A lock on SQLite is waited for instead of failing after five seconds."""
    if sqlite_file(uri) is None:
        return uri
    url = make_url(uri)
    if "timeout" in url.query:
        return uri
    return str(url.update_query_dict({"timeout": str(SQLITE_TIMEOUT_S)}))
