"""Filling an empty catalog from a dumped state, of whatever kind both are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import IcebergNamespaceProperties, IcebergTables, SqlCatalog
from sqlalchemy import insert

from dp_assets.adapters.catalog_errors import database_errors
from dp_assets.adapters.metastore.catalog_reading import read_catalog
from dp_assets.adapters.metastore.catalog_state import TABLE, VIEW
from dp_assets.adapters.pyiceberg_errors import verdicts
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.ports.metastore import CatalogState

# What PyIceberg writes for a namespace without properties, so that it exists.
MINIMUM = IcebergNamespaceProperties.NAMESPACE_MINIMAL_PROPERTIES
LOCATION = "metadata-location"


def fill_catalog(catalog: Catalog, state: CatalogState) -> tuple[str, ...]:
    """Make ``catalog`` hold ``state``; gives the names of what it cannot hold.

    A SQL catalog is filled in one transaction, without opening any table's file. In any other
    each table is registered by itself, which needs its metadata file; run again, it goes on.

    Raises PermanentError when the catalog holds anything else.
    """
    found = read_catalog(catalog)
    _refuse_other(found, state, catalog.name)
    if isinstance(catalog, SqlCatalog):
        _insert(catalog, state)
        return tuple(f"view {n}" for n, view in sorted(state.views.items()) if LOCATION not in view)
    doing = f"register the dumped tables in catalog {catalog.name}"
    with verdicts(doing, hint="run it again; what is registered already is recognised"):
        _register(catalog, state, found)
    pointless = [f"table {table}" for table, pointer in state.pointers.items() if not pointer]
    return (*pointless, *(f"view {name}" for name in sorted(state.views)))


def without_minimum(state: CatalogState) -> CatalogState:
    """For comparing: that a namespace exists is no property of it."""
    kept = {
        name: {k: v for k, v in given.items() if MINIMUM.get(k) != v}
        for name, given in state.namespaces.items()
    }
    return replace(state, namespaces=kept)


def _insert(catalog: SqlCatalog, state: CatalogState) -> None:
    rows = [_row(catalog.name, t, pointer, TABLE) for t, pointer in state.pointers.items()]
    rows += [
        _row(catalog.name, TableId.parse(name), str(view[LOCATION]), VIEW)
        for name, view in state.views.items()
        if LOCATION in view
    ]
    properties = [
        {"catalog_name": catalog.name, "namespace": name, "property_key": k, "property_value": v}
        for name, given in state.namespaces.items()
        for k, v in (given or MINIMUM).items()
    ]
    doing = f"fill catalog {catalog.name}"
    with database_errors(catalog, doing), catalog.engine.begin() as connection:
        # The unique key refuses what another process has put there since it was read.
        if rows:
            connection.execute(insert(IcebergTables), rows)
        if properties:
            connection.execute(insert(IcebergNamespaceProperties), properties)


def _row(catalog: str, table: TableId, pointer: str, kind: str) -> dict[str, str | None]:
    return {
        "catalog_name": catalog,
        "table_namespace": table.namespace,
        "table_name": table.name,
        "metadata_location": pointer or None,
        "iceberg_type": kind,
    }


def _register(catalog: Catalog, state: CatalogState, found: CatalogState) -> None:
    for namespace in sorted(state.namespaces.keys() - found.namespaces.keys()):
        # A parent sorts before its children.
        catalog.create_namespace(tuple(namespace.split(".")), dict(state.namespaces[namespace]))
    for table, pointer in state.pointers.items():
        if pointer and table not in found.pointers:
            catalog.register_table(table.identifier, pointer)


def _refuse_other(found: CatalogState, state: CatalogState, name: str) -> None:
    """What is there may be the beginning of this very restore, and nothing else."""
    foreign = [
        *_others(found.pointers, state.pointers),
        *(found.namespaces.keys() - state.namespaces.keys()),
        *(found.views.keys() - state.views.keys()),
    ]
    if foreign:
        raise PermanentError(
            f"catalog {name} is not empty: it holds {foreign[0]}",
            hint="restore into an empty catalog, then look at both; nothing was changed",
        )


def _others(found: Mapping[TableId, str], wanted: Mapping[TableId, str]) -> Iterable[str]:
    return (str(table) for table, pointer in found.items() if wanted.get(table) != pointer)
