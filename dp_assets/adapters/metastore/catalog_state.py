"""What a SQL catalog's database holds, read through one connection and so at one moment."""

from collections.abc import Mapping
from typing import Any

from pyiceberg.catalog.sql import IcebergNamespaceProperties, IcebergTables
from sqlalchemy import Connection, func, inspect, select, table, text

from dp_assets.core.ids import TableId
from dp_assets.ports.metastore import CatalogState, Progress, no_progress

TABLE, VIEW = "TABLE", "VIEW"
SHOWN = 5  # differences spelled out; the rest is counted


def read_sql_state(connection: Connection, catalog: str) -> CatalogState:
    """The tables, namespaces and views of the catalog named ``catalog``."""
    # All columns as they are: catalogs of the first schema version have no column iceberg_type.
    result = connection.execute(
        select(text("*"))
        .select_from(IcebergTables.__table__)
        .where(IcebergTables.catalog_name == catalog)
    )
    columns = {name: position for position, name in enumerate(result.keys())}
    kind = columns.get("iceberg_type")
    wanted = ("table_namespace", "table_name", "metadata_location")
    namespace, name, location = (columns[column] for column in wanted)
    pointers: dict[TableId, str] = {}
    views: dict[str, Mapping[str, Any]] = {}
    for row in result.fetchall():
        table_id = TableId(row[namespace], row[name])
        if kind is None or row[kind] in (None, TABLE):
            pointers[table_id] = row[location] or ""
        else:
            views[str(table_id)] = {"metadata-location": row[location] or ""}
    return CatalogState(pointers, _namespaces(connection, catalog, pointers), views)


def _namespaces(
    connection: Connection, catalog: str, pointers: Mapping[TableId, str]
) -> dict[str, Mapping[str, str]]:
    """A namespace is there as soon as it has a property or a table."""
    found: dict[str, dict[str, str]] = {table.namespace: {} for table in pointers}
    kept = IcebergNamespaceProperties
    wanted = select(kept.namespace, kept.property_key, kept.property_value)
    for namespace, key, value in connection.execute(wanted.where(kept.catalog_name == catalog)):
        found.setdefault(namespace, {})[key] = value
    return dict(found)


def count_rows(connection: Connection, on_progress: Progress = no_progress) -> dict[str, int]:
    """The rows of every table of the database; of PostgreSQL with their schema's name."""
    names = list(_tables(connection))
    counts: dict[str, int] = {}
    for done, (schema, name) in enumerate(names, start=1):
        counted = select(func.count()).select_from(table(name, schema=schema))
        counts[f"{schema}.{name}" if schema else name] = connection.execute(counted).scalar_one()
        on_progress(done, len(names))
    return counts


def has_tables(connection: Connection) -> bool:
    """Whether anything was made in this database, by whomever."""
    return bool(_tables(connection))


def _tables(connection: Connection) -> list[tuple[str | None, str]]:
    inspector = inspect(connection)
    schemas: list[str | None] = [None]
    if connection.dialect.name == "postgresql":
        schemas = [s for s in inspector.get_schema_names() if s != "information_schema"]
    return [(s, name) for s in schemas for name in sorted(inspector.get_table_names(schema=s))]


def differences(expected: CatalogState, found: CatalogState) -> tuple[str, ...]:
    """What the dump should have brought back and did not, in words."""
    pointers = _differences("table", expected.pointers, found.pointers)
    namespaces = _differences("namespace", expected.namespaces, found.namespaces)
    views = _differences("view", expected.views, found.views)
    return (*pointers, *namespaces, *views)


def row_differences(expected: Mapping[str, int], found: Mapping[str, int]) -> tuple[str, ...]:
    """Tables of the database with other row counts than when they were dumped, in words."""
    return _differences("rows of", expected, found)


def _differences(
    what: str, expected: Mapping[Any, object], found: Mapping[Any, object]
) -> tuple[str, ...]:
    wrong: list[str] = []
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            wrong.append(f"{what} {name}: not in the restored dump")
        elif name not in expected:
            wrong.append(f"{what} {name}: in the restored dump, but not recorded")
        elif expected[name] != found[name]:
            wrong.append(f"{what} {name}: {found[name]} restored, {expected[name]} recorded")
    more = len(wrong) - SHOWN
    return (*wrong[:SHOWN], f"and {more} more like this") if more > 0 else tuple(wrong)
