"""A person's SQL over the lakehouse, now or as of a moment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dp_assets.adapters.duckdb_query import confine, run_query
from dp_assets.adapters.duckdb_sql import NamedTable, parse_query
from dp_assets.adapters.iceberg_json import head_id, read_metadata
from dp_assets.adapters.pyiceberg_inventory import list_pointers, reading_io
from dp_assets.adapters.table_details import history_of
from dp_assets.adapters.table_folders import file_folders, metadata_folders, plain
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.naming import unknown_table
from dp_assets.domains.lake.time_travel import choose_snapshots
from dp_assets.lakehouse import OPS_TABLES
from dp_assets.ports.details import History

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Mapping, Sequence

    from dp_assets.adapters.metadata_facts import Json
    from dp_assets.domains.lake.time_travel import AsOf
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.query import Result


@contextmanager
def querying(
    lake: Lakehouse, sql: str, *, as_of: AsOf | None = None
) -> Generator[Result, None, None]:
    """The result of ``sql``, to be read inside the ``with`` block.

    Only the tables that it names are attached; those of ``ops`` show the rows that wait in the
    spool, too, unless ``as_of`` asks for the past.

    Raises:
        ConfigurationError: the SQL, a table in it or ``as_of`` is wrong.
        PermanentError: a table cannot be read.
    """
    query = parse_query(sql)
    pointers = list_pointers(lake.catalog)
    known = {*pointers, *(spec.table for spec in OPS_TABLES)}
    found = (_resolve(named, known) for named in query.tables)
    tables = sorted({table for table in found if table})
    _refuse_twins(tables)
    with lake.reader() as reader:
        chosen = _choose(lake, tables, pointers, as_of) if as_of else {}
        if as_of:
            reader.attach(tables, snapshots=chosen)
        else:
            lake.attach(reader, tables)
        confine(reader.connection, set(_folders(lake, tables, pointers, chosen)))
        yield run_query(reader.connection, query.sql)


def _resolve(named: NamedTable, known: Collection[TableId]) -> TableId | None:
    """The table that the SQL means: its exact name, else the one that differs in case only.

    None for what is DuckDB's own, which it will know or refuse itself.
    """
    if named.schema == "information_schema" or (not named.schema and not _is_last(named, known)):
        return None
    if not named.schema or named.catalog:
        raise unknown_table(str(named), known)
    table = TableId(named.schema, named.name)
    if table in known:
        return table
    similar = [t for t in known if str(t).lower() == str(table).lower()]
    if len(similar) != 1:
        raise unknown_table(str(table), known)
    return similar[0]


def _is_last(named: NamedTable, known: Collection[TableId]) -> bool:
    """Whether a name without namespace is one of a table of ours, which needs its namespace."""
    return named.name.lower() in {table.name.lower() for table in known}


def _refuse_twins(tables: Sequence[TableId]) -> None:
    """DuckDB ignores case, Iceberg does not: two such tables would become one."""
    names = [str(table).lower() for table in tables]
    for table, name in zip(tables, names, strict=True):
        if names.count(name) > 1:
            raise ConfigurationError(
                f"{table} and another table of the query differ in case only",
                hint="query them one at a time",
            )


def _choose(
    lake: Lakehouse, tables: Sequence[TableId], pointers: Mapping[TableId, str], as_of: AsOf
) -> dict[TableId, int]:
    """The snapshots to read; a table that has only rows in the spool has no past."""
    histories = {
        table: history_of(_metadata(lake, table, pointers[table]))
        if table in pointers
        else History()
        for table in tables
    }
    return choose_snapshots(as_of, histories)


def _folders(
    lake: Lakehouse,
    tables: Sequence[TableId],
    pointers: Mapping[TableId, str],
    chosen: Mapping[TableId, int],
) -> Iterator[str]:
    """What DuckDB may open. A table outside of the warehouse may have its files anywhere."""
    warehouse = plain(lake.settings.warehouse.root)
    yield warehouse
    for table in tables:
        pointer = pointers.get(table)
        if pointer is None or plain(pointer).startswith(f"{warehouse}/"):
            continue
        metadata = _metadata(lake, table, pointer)
        yield from metadata_folders(metadata, pointer)
        wanted = chosen.get(table, head_id(metadata))
        for snapshot in metadata.get("snapshots") or ():
            if snapshot["snapshot-id"] == wanted:
                yield from file_folders(reading_io(lake.catalog, table), snapshot)


def _metadata(lake: Lakehouse, table: TableId, pointer: str) -> Json:
    return read_metadata(reading_io(lake.catalog, table), pointer)
