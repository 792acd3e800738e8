"""Tables as other engines make them: PyIceberg's own writer, no property of ours."""

import datetime as dt
from pathlib import Path

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

NOON = dt.datetime(2013, 1, 1, 12, tzinfo=dt.UTC)


def things(first: int, last: int) -> pa.Table:
    numbers = list(range(first, last))
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "at": pa.array([NOON] * len(numbers), pa.timestamp("us", "UTC")),
            "name": pa.array([f"thing {n}" for n in numbers], pa.string()),
        }
    )


def make_things(catalog: Catalog, namespace: str = "shop", name: str = "things") -> Table:
    """Two appends, then a delete: 20 rows, 25 rows, 24 rows."""
    catalog.create_namespace_if_not_exists(namespace)
    table = catalog.create_table((*namespace.split("."), name), things(0, 0).schema)
    table.append(things(0, 20))
    table.append(things(20, 25))
    table.delete("id = 7")
    return table


def elsewhere(folder: Path) -> Table:
    """``shop.things`` in somebody else's catalog and warehouse; closed before it is returned."""
    folder.mkdir()
    catalog = SqlCatalog("other", uri=f"sqlite:///{folder}/other.db", warehouse=f"file://{folder}")
    table = make_things(catalog)
    catalog.close()
    return table
