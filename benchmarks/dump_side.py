"""``python -m benchmarks.dump_side fill COUNT|dump``: a catalog of many tables, and its dump."""

import os
import sys
from pathlib import Path

from sqlalchemy import create_engine, text

from benchmarks.measure import say
from dp_assets.domains.lake.identity import DEMO
from dp_assets.lakehouse import opened
from dp_assets.settings import load_settings
from dp_assets.usecases.dumping import metastore_of
from dp_assets.usecases.initialising import initialise

INSERT = """\
INSERT INTO iceberg_tables
  (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location)
VALUES (:catalog, 'sales', :name, :location, :previous)
"""


def fill(count: int) -> None:
    """Rows of so many tables; the files that they point at are not there and are not asked for."""
    settings = load_settings()
    initialise(settings, origin=DEMO)
    with opened(settings) as lake:
        lake.catalog.create_namespace("sales")
    engine = create_engine(settings.catalog.uri)
    with engine.begin() as connection:
        connection.execute(text(INSERT), [_row(settings.catalog.name, n) for n in range(count)])
    engine.dispose()


def dump() -> None:
    """One dump into the state folder, not checked."""
    with opened() as lake:
        done = metastore_of(lake).dump(Path(os.environ["DP_STATE"]) / "dump")
    say(tables=len(done.pointers))


def _row(catalog: str, number: int) -> dict[str, str]:
    name = f"table_{number:05d}"
    folder = f"s3://bucket/warehouse/sales/{name}/metadata"
    # What no compression gets rid of: the random part of every metadata file's name.
    parts = [f"{(number * 2654435761 + k) * 0x9E3779B97F4A7C15 % 2**128:032x}" for k in (0, 1)]
    return {
        "catalog": catalog,
        "name": name,
        "location": f"{folder}/00002-{parts[0]}.metadata.json",
        "previous": f"{folder}/00001-{parts[1]}.metadata.json",
    }


if __name__ == "__main__":
    fill(int(sys.argv[2])) if sys.argv[1] == "fill" else dump()
