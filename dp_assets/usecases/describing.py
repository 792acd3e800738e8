"""One table in detail, by the name a person typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dp_assets.adapters.iceberg_json import read_metadata
from dp_assets.adapters.pyiceberg_inventory import list_pointers, reading_io
from dp_assets.adapters.table_details import details_of
from dp_assets.domains.lake.naming import find_table

if TYPE_CHECKING:
    from dp_assets.lakehouse import Lakehouse
    from dp_assets.ports.details import TableDetails


def describe(lake: Lakehouse, name: str) -> TableDetails:
    """Everything about the table called ``name``.

    Raises:
        ConfigurationError: there is no such table; names the nearest one.
        PermanentError: its metadata cannot be read.
    """
    pointers = list_pointers(lake.catalog)
    table = find_table(name, pointers)
    pointer, io = pointers[table], reading_io(lake.catalog, table)
    return details_of(read_metadata(io, pointer), io=io, table=table, pointer=pointer)
