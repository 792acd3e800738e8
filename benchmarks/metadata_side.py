"""``python -m benchmarks.metadata_side WHAT TABLE``: one thing done to a table's metadata.

Prints its seconds without interpreter, imports and the opening of the lakehouse.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow

from benchmarks.made_histories import SCHEMA
from benchmarks.made_lineitem import NAMESPACE
from benchmarks.measure import say
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.recovery.iceberg_manifests import read_list, read_manifest
from dp_assets.adapters.recovery.iceberg_metadata import parse_metadata
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.maintenance.compaction import CompactionRule
from dp_assets.domains.maintenance.retention import Retention
from dp_assets.lakehouse import Lakehouse, opened
from dp_assets.ports.tables import TableSpec
from dp_assets.usecases.maintenance.compacting import planned_compaction
from dp_assets.usecases.maintenance.expiry_planning import planned_expiry

APPENDS = 5
Figures = dict[str, float]


def append(lake: Lakehouse, table: TableId) -> Figures:
    """Commits one after the other, by our writer; the first reads the table."""
    spec = TableSpec(table, SCHEMA, comment="", key_columns=("id",))
    return _appends(lambda n: lake.writer.append(spec, _rows(), batches=(f"batch-{n}",)))


def plain_append(lake: Lakehouse, table: TableId) -> Figures:
    """The same by PyIceberg, with a catalog that knows nothing of us."""
    with _plain_catalog(lake) as catalog:
        loaded = catalog.load_table((table.namespace, table.name))
        return _appends(lambda _: loaded.append(_rows()))


def plan(lake: Lakehouse, table: TableId) -> Figures:
    """What a compaction would do; the table has been read by nobody before."""
    with _timed() as figures:
        found = planned_compaction(lake, table, CompactionRule())
    return figures | {"files": sum(len(group.inputs) for group in found.plan.groups)}


def plain_plan(lake: Lakehouse, table: TableId) -> Figures:
    """PyIceberg's plan of a scan of all files."""
    with _plain_catalog(lake) as catalog, _timed() as figures:
        found = list(catalog.load_table((table.namespace, table.name)).scan().plan_files())
    return figures | {"files": len(found)}


def expiry(lake: Lakehouse, table: TableId) -> Figures:
    """What an expiry of nearly all snapshots would free; how often each file is read for it."""
    read = lake.files.read
    reads: list[str] = []

    def counted(location: str) -> bytes:
        reads.append(location)
        return read(location)

    lake.files.read = counted
    retention = Retention(max_age_ms=0, min_snapshots=5)
    with _timed() as figures:
        planned_expiry(lake, str(table), retention, now_ms=now_ms())
    return figures | {"reads": len(reads), "files": len(set(reads))}


def read_once(lake: Lakehouse, table: TableId) -> Figures:
    """Every list and every manifest read and parsed once, and nothing asked of them."""
    with _timed() as figures:
        pointer = existing_pointer(lake.catalog, table)
        metadata = parse_metadata(lake.files.read(pointer), location=pointer)
        lists = [snapshot["manifest-list"] for snapshot in metadata["snapshots"]]
        manifests = {
            use.path
            for path in lists
            for use in read_list(lake.files.read(path), name=path, snapshot_id=0)
        }
        for path in manifests:
            read_manifest(lake.files.read(path), name=path)
    return figures | {"files": 1 + len(lists) + len(manifests)}


SIDES: Mapping[str, Callable[[Lakehouse, TableId], Figures]] = {
    one.__name__: one for one in (append, plain_append, plan, plain_plan, expiry, read_once)
}


def main(what: str, name: str) -> None:
    """Run it and say what it took."""
    with opened() as lake:
        say(**SIDES[what](lake, TableId(NAMESPACE, name)))


def _appends(one: Callable[[int], object]) -> Figures:
    seconds: list[float] = []
    for number in range(APPENDS):
        began = time.perf_counter()
        one(number)
        seconds.append(time.perf_counter() - began)
    return {"first": seconds[0], "work": median(seconds[1:])}


def _rows() -> pa.Table:
    made = pa.table({"id": [1], "name": ["one"], "amount": [1]})
    return made.cast(schema_to_pyarrow(SCHEMA))


@contextmanager
def _timed() -> Iterator[Figures]:
    figures: Figures = {}
    began = time.perf_counter()
    yield figures
    figures["work"] = time.perf_counter() - began


@contextmanager
def _plain_catalog(lake: Lakehouse) -> Iterator[SqlCatalog]:
    settings = lake.settings
    catalog = SqlCatalog(
        settings.catalog.name, uri=settings.catalog.uri, warehouse=settings.warehouse.root
    )
    try:
        yield catalog
    finally:
        catalog.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
