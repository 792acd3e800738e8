"""Tables that others made: registered to be read, adopted to be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.metadata_facts import ADOPTED
from dp_assets.adapters.pyiceberg_inventory import list_pointers, read_facts
from dp_assets.adapters.pyiceberg_register import (
    absolute_location,
    read_registrable,
    register_table,
)
from dp_assets.adapters.reading_io import ReadingIO
from dp_assets.adapters.table_folders import plain
from dp_assets.core.errors import PermanentError
from dp_assets.core.ids import TableId
from dp_assets.domains.lake.naming import find_table
from dp_assets.domains.lake.registration import check_name, check_not_twice, check_terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.inventory import TableFacts


def register(lake: Lakehouse, location: str, name: str) -> TableFacts:
    """Make the table of the metadata file at ``location`` known as ``name``.

    Nothing of the table is changed: it is foreign, to be read only, until it is adopted.

    Raises:
        ConfigurationError: the file or the name will not do.
        PermanentError: the table's files are not all there.
    """
    table, pointers = TableId.parse(name), list_pointers(lake.catalog)
    check_name(table, pointers)
    io, where = ReadingIO(lake.catalog.properties), absolute_location(location)
    facts = read_registrable(io, where, table)
    check_terms(facts, warehouse=lake.settings.warehouse.root)
    check_not_twice(facts, _uuids_beside(io, where, pointers))
    register_table(lake.catalog, table, where)
    return facts


def adoptable(lake: Lakehouse, name: str) -> TableFacts:
    """The table called ``name``, to be shown before it is adopted; it may be adopted already.

    Raises:
        ConfigurationError: there is no such table.
        PermanentError: it cannot be read, or this is not certainly the lakehouse itself.
    """
    lake.require_identity(f"adopt {name}")
    pointers = list_pointers(lake.catalog)
    table = find_table(name, pointers)
    facts = read_facts(lake.catalog, table, pointers[table])
    if facts.problem:
        raise PermanentError(
            f"adopt {table}: {facts.problem}", hint="'dp doctor' says what is wrong with it"
        )
    return facts


def adopt(lake: Lakehouse, table: TableId) -> None:
    """Make ``table`` ours to change, by one commit that sets a property and nothing else.

    Raises:
        TransientError: somebody else is writing it.
        PermanentError: this is not certainly the lakehouse itself.
    """
    lake.require_identity(f"adopt {table}")
    lake.writer.set_properties(table, {ADOPTED: "true"})


def _uuids_beside(
    io: ReadingIO, location: str, pointers: Mapping[TableId, str]
) -> dict[TableId, str]:
    """The tables whose metadata is in the folder of ``location``, with their uuids."""
    folder = _folder(location)
    found: dict[TableId, str] = {}
    for table, pointer in pointers.items():
        if _folder(pointer) == folder:
            found[table] = _uuid(io, pointer)
    return found


def _uuid(io: ReadingIO, pointer: str) -> str:
    try:
        return read_metadata(io, pointer).get("table-uuid") or ""
    except PermanentError:
        return ""  # a damaged neighbour says nothing


def _folder(location: str) -> str:
    """One spelling for ``/x``, ``file:/x`` and ``file:///x``."""
    return plain(location.rpartition("/")[0])
