"""Which adapter dumps which catalog, and which brings a dump back."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.catalogs import address, open_catalog, sqlite_file
from dp_assets.adapters.metastore.catalog_fill import fill_catalog
from dp_assets.adapters.metastore.dump_folder import damaged_files, read_record, read_state
from dp_assets.adapters.metastore.metastore_logical import LogicalMetastore, check_logical
from dp_assets.adapters.metastore.metastore_postgres import (
    PostgresMetastore,
    check_postgres,
    restore_postgres,
)
from dp_assets.adapters.metastore.metastore_sqlite import (
    SqliteMetastore,
    appearing,
    check_sqlite,
    restore_sqlite,
)
from dp_assets.core.errors import ConfigurationError, PermanentError
from dp_assets.core.secrets import redact
from dp_assets.ports.metastore import DumpCheck, Metastore, MetastoreKind

CATALOGS = {"http": "rest", "https": "rest", "thrift": "hive"}


def metastore_for(
    catalog: Catalog, *, uri: str, now_ms: Callable[[], int], bin_dir: Path | None = None
) -> Metastore:
    """How ``catalog``, opened from ``uri``, is dumped; ``bin_dir`` has PostgreSQL's programs."""
    if isinstance(catalog, SqlCatalog):
        file = sqlite_file(uri)
        if file is not None:
            return SqliteMetastore(file, catalog=catalog.name, now_ms=now_ms)
        if uri.startswith("postgresql"):
            return PostgresMetastore(uri, catalog=catalog.name, now_ms=now_ms, bin_dir=bin_dir)
    return LogicalMetastore(catalog, address=address(uri), now_ms=now_ms)


def check_apart(folder: Path, *, now_ms: int, bin_dir: Path | None = None) -> DumpCheck:
    """Check a dump with nothing of its lakehouse: any other catalog may be configured now."""
    kind = read_record(folder).kind
    if kind is MetastoreKind.SQLITE:
        return check_sqlite(folder, now_ms=now_ms)
    if kind is MetastoreKind.POSTGRESQL:
        return check_postgres(folder, now_ms=now_ms, bin_dir=bin_dir)
    return check_logical(folder, now_ms=now_ms)


def restore_to(folder: Path, uri: str, *, bin_dir: Path | None = None) -> tuple[str, ...]:
    """Bring the dump back at ``uri``: as it was where the kind is the same, else as a catalog.

    Gives the names of what the other kind of catalog cannot hold.

    Raises:
        PermanentError: something is there already, or the dump is damaged.
        ConfigurationError: no catalog can be at that address.
    """
    record = read_record(folder)
    if problems := damaged_files(folder, record):
        raise PermanentError(
            f"dump {folder.name} is damaged: {'; '.join(problems)}",
            hint="choose another one with 'dp dump --list'; nothing was changed",
        )
    file = sqlite_file(uri)
    if record.kind is MetastoreKind.SQLITE and file is not None:
        restore_sqlite(folder, file)
        return ()
    if file is not None:
        with appearing(file) as temporary:
            return _fill(folder, record.catalog, f"sqlite:///{temporary}")
    if record.kind is MetastoreKind.POSTGRESQL and uri.startswith("postgresql"):
        restore_postgres(folder, uri, bin_dir=bin_dir)
        return ()
    return _fill(folder, record.catalog, uri)


def _fill(folder: Path, name: str, uri: str) -> tuple[str, ...]:
    catalog = open_catalog(name, kind=_kind_of(uri), uri=uri, warehouse="", properties={})
    with closing(catalog):
        return fill_catalog(catalog, read_state(folder))


def _kind_of(uri: str) -> str:
    scheme = urlsplit(uri).scheme
    if scheme.startswith("sqlite") and sqlite_file(uri) is None:
        raise ConfigurationError(f"{uri!r} names no file", hint="sqlite:////path/catalog.db")
    if scheme.startswith(("sqlite", "postgresql", "mysql")):
        return "sql"
    if scheme in CATALOGS:
        return CATALOGS[scheme]
    raise ConfigurationError(
        f"{redact(uri)!r} is no address of a catalog",
        hint="e.g. sqlite:////path/catalog.db, postgresql+psycopg2://user@host/database, http://...",
    )
