"""The catalog's tables and their facts, through PyIceberg's catalogs and file IO.

Metadata is read as JSON: faster than PyIceberg's models, and a table whose newer fields those
models refuse is still found.
"""

import zlib
from collections.abc import Iterator

from pyiceberg.catalog import Catalog, MetastoreCatalog
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.exceptions import NoSuchTableError, RESTError, ValidationError
from pyiceberg.io import FileIO
from pyiceberg.manifest import DataFileContent
from pyiceberg.table.snapshots import Snapshot
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.metadata_facts import Json, Totals, facts_of
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.sqlite_lock import explain_locked
from dp_assets.core.errors import PermanentError, TransientError
from dp_assets.core.ids import TableId
from dp_assets.ports.inventory import TableFacts

TABLE = "TABLE"
HINT = "check the catalog with 'dp doctor'"
# What a damaged, foreign or missing file makes the readers raise; each is one table's problem.
UNREADABLE = (
    PermanentError,
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    AssertionError,
    EOFError,
    RuntimeError,
    zlib.error,
)
# One table that a catalog service cannot load, unlike a service that does not answer.
UNLOADABLE = (RESTError, ValidationError, OSError, ValueError)


def list_pointers(catalog: Catalog) -> dict[TableId, str]:
    """Every table of the catalog with the location of its current metadata file.

    SQL catalogs answer with one query. Others are walked and each table is loaded; a table that
    cannot be loaded keeps an empty pointer, so that it is not taken for dropped.

    Raises TransientError when the catalog is locked or does not answer, else PermanentError.
    """
    doing = f"list the tables of catalog {catalog.name}"
    if not isinstance(catalog, SqlCatalog):
        with verdicts(doing, hint=HINT):
            return dict(_walked_pointers(catalog, namespace=()))
    try:
        with explain_locked(catalog.engine):
            return _sql_pointers(catalog)
    except DBAPIError as error:
        verdict = TransientError if isinstance(error, OperationalError) else PermanentError
        raise verdict(f"{doing}: {error.orig}", hint=HINT) from error


def read_facts(catalog: Catalog, table: TableId, pointer: str) -> TableFacts:
    """The facts of one table from the metadata file at ``pointer``.

    Never raises for what is wrong with this table: then ``problem`` says it.
    """
    try:
        if not pointer:
            raise PermanentError("the catalog names no metadata file", hint="see 'dp doctor'")
        io = reading_io(catalog, table)
        return facts_of(
            read_metadata(io, pointer),
            table=table,
            pointer=pointer,
            count=lambda snapshot: count_files(io, snapshot),
        )
    except (*UNREADABLE, NoSuchTableError, RESTError) as error:
        said = error.what if isinstance(error, PermanentError) else f"{error}"
        return TableFacts(table, pointer, problem=said or type(error).__name__)


def count_files(io: FileIO, snapshot: Json) -> Totals:
    """A snapshot's totals from its manifests, for writers that leave them out of the summary.

    Several deletion vectors share one file; its bytes count once.

    Raises ValueError for a version 1 snapshot without a manifest list.
    """
    if "manifest-list" not in snapshot:
        raise ValueError(f"snapshot {snapshot['snapshot-id']} has neither totals nor manifest list")
    listed = Snapshot.model_validate(snapshot).manifests(io)
    files = [entry.data_file for m in listed for entry in m.fetch_manifest_entry(io)]
    data = [f for f in files if f.content == DataFileContent.DATA]
    deleted = sum(f.record_count for f in files if f.content == DataFileContent.POSITION_DELETES)
    return Totals(
        rows=max(sum(f.record_count for f in data) - deleted, 0),
        files=len(data),
        bytes=sum({f.file_path: f.file_size_in_bytes for f in files}.values()),
        delete_files=len(files) - len(data),
    )


def _sql_pointers(catalog: SqlCatalog) -> dict[TableId, str]:
    statement = (
        select(text("*"))  # catalogs of the first schema version have no column iceberg_type
        .select_from(IcebergTables)
        .where(IcebergTables.catalog_name == catalog.name)
    )
    with Session(catalog.engine) as session:
        rows = session.execute(statement).mappings().all()
    return {
        TableId(row["table_namespace"], row["table_name"]): row["metadata_location"] or ""
        for row in rows
        if row.get("iceberg_type") in (None, TABLE)  # views share the catalog's table
    }


def _walked_pointers(catalog: Catalog, namespace: tuple[str, ...]) -> Iterator[tuple[TableId, str]]:
    for child in catalog.list_namespaces(namespace):
        for identifier in catalog.list_tables(child):
            table = TableId(".".join(identifier[:-1]), identifier[-1])
            pointer = _loaded_pointer(catalog, table)
            if pointer is not None:
                yield table, pointer
        yield from _walked_pointers(catalog, child)


def _loaded_pointer(catalog: Catalog, table: TableId) -> str | None:
    """None for a table dropped since it was listed, and for what is no Iceberg table."""
    try:
        return catalog.load_table(table.identifier).metadata_location
    except NoSuchTableError:
        return None
    except UNLOADABLE:
        return ""


def reading_io(catalog: Catalog, table: TableId) -> FileIO:
    """Metastores leave file access to us; a REST catalog may hand out credentials per table."""
    if isinstance(catalog, MetastoreCatalog):
        return ReadingIO(catalog.properties)
    return catalog.load_table(table.identifier).io
