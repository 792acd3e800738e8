"""A real lakehouse with one daily table, ``raw.orders``, and what must be true of it afterwards."""

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from dp_assets.adapters.catalogs import open_catalog
from dp_assets.adapters.duckdb_reader import DuckDbReader
from dp_assets.adapters.iceberg_json import Json, read_metadata
from dp_assets.adapters.lease_owner import is_gone, owner_text
from dp_assets.adapters.leases_sql import SqlLeases
from dp_assets.adapters.pyiceberg_pointer import existing_pointer
from dp_assets.adapters.pyiceberg_writer import PyIcebergWriter
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.pipeline.columns import DATE, INTEGER, STRING, schema
from dp_assets.ports.tables import RunMark, TableSpec
from dp_assets_tests.adapters.table_checks import Row, check_files, sorted_rows

COLUMNS = (
    ("day", DATE, "Day of the order."),
    ("id", INTEGER, "Number of the order."),
    ("note", STRING, "Free text."),
)
ORDERS = TableSpec(
    table=TableId("raw", "orders"),
    schema=schema(*COLUMNS),
    comment="Orders by day.",
    key_columns=("id",),
    day_column="day",
)
NAMES = TableSpec(
    table=TableId("raw", "names"),
    schema=schema(("id", INTEGER, "Number."), ("note", STRING, "Name.")),
    comment="Names, replaced whole.",
    key_columns=("id",),
)
MONDAY, TUESDAY, WEDNESDAY = "2013-01-07", "2013-01-08", "2013-01-09"
RUN = RunMark(root_run_id="root-1", run_id="run-1")
RETRY = RunMark(root_run_id="root-1", run_id="run-2")
OTHER_RUN = RunMark(root_run_id="root-2", run_id="run-3")


def orders(day: str | None, ids: Iterable[int], *, note: str = "new") -> pa.Table:
    """One row per id, all of ``day`` and with ``note``."""
    numbers = list(ids)
    when = dt.date.fromisoformat(day) if day else None
    return pa.table(
        {
            "day": pa.array([when] * len(numbers), pa.date32()),
            "id": pa.array(numbers, pa.int32()),
            "note": pa.array([note] * len(numbers), pa.string()),
        }
    )


def names(ids: Iterable[int]) -> pa.Table:
    numbers = list(ids)
    return pa.table({"id": pa.array(numbers, pa.int32()), "note": [f"name {n}" for n in numbers]})


def nothing(_point: str) -> None:
    """A failpoint that does nothing."""


@dataclass
class Lake:
    """One catalog on SQLite with a local warehouse; ``clock_ms`` is what writers believe."""

    folder: Path
    clock_ms: Callable[[], int] = now_ms
    busy_timeout_ms: int = 30_000
    catalog: SqlCatalog = field(init=False)

    def __post_init__(self) -> None:
        opened = open_catalog(
            "lake",
            kind="sql",
            uri=f"sqlite:///{self.database}?timeout={self.busy_timeout_ms / 1000}",
            warehouse=f"file://{self.folder}/warehouse",
            properties={},
        )
        assert isinstance(opened, SqlCatalog)
        self.catalog = opened

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def database(self) -> Path:
        return self.folder / "catalog.db"

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    @property
    def leases(self) -> SqlLeases:
        return SqlLeases(
            self.catalog.engine,
            now_ms=self.clock_ms,
            sleep=time.sleep,
            is_gone=is_gone,
            busy_timeout_ms=self.busy_timeout_ms,
        )

    def writer(
        self,
        *,
        failpoint: Callable[[str], None] = nothing,
        ttl_ms: int = 600_000,
        wait_ms: int = 0,
        who: str = "test",
    ) -> PyIcebergWriter:
        return PyIcebergWriter(
            self.catalog,
            self.leases,
            owner=owner_text(who),
            ttl_ms=ttl_ms,
            wait_ms=wait_ms,
            now_ms=self.clock_ms,
            failpoint=failpoint,
        )

    def put(self, day: str, ids: Iterable[int], *, run: RunMark = RUN, note: str = "new") -> int:
        """Replace ``day`` with a writer of its own; the snapshot id."""
        writer = self.writer()
        writer.ensure(ORDERS)
        return writer.replace(
            ORDERS, orders(day, ids, note=note), partition=day, run=run
        ).snapshot_id

    def table(self, spec: TableSpec = ORDERS) -> Table:
        """As PyIceberg loads it now."""
        return self.catalog.load_table(spec.table.identifier)

    def pointer(self, spec: TableSpec = ORDERS) -> str:
        return existing_pointer(self.catalog, spec.table)

    def raw(self, spec: TableSpec = ORDERS) -> Json:
        """The metadata file as it is."""
        return read_metadata(self.table(spec).io, self.pointer(spec))

    def move_pointer(self, location: str, *, old: str, spec: TableSpec = ORDERS) -> None:
        """As another writer would."""
        from dp_assets.adapters.pyiceberg_pointer import swap_pointer

        swap_pointer(self.catalog, spec.table, old=old, new=location)

    def rows(self, spec: TableSpec = ORDERS) -> list[Row]:
        """What both engines read, after proving that they read the same and nothing is missing."""
        check_files(self.table(spec))
        by_pyiceberg = sorted_rows(self.table(spec).scan().to_arrow())
        assert self.rows_by_duckdb(spec) == by_pyiceberg
        return by_pyiceberg

    def rows_by_duckdb(self, spec: TableSpec = ORDERS) -> list[Row]:
        source = self._reader.scan(spec.table)
        return sorted_rows(self._reader.rows(f"FROM {source}", about=spec.table))

    @cached_property
    def _reader(self) -> DuckDbReader:
        return DuckDbReader(
            lambda table: existing_pointer(self.catalog, table),
            memory_limit="200MB",
            threads=1,
            temp_dir=self.folder / "tmp",
        ).__enter__()

    def ids(self) -> dict[str | None, list[int]]:
        """Day -> ids in the table."""
        found: dict[str | None, list[int]] = {}
        for day, number, *_ in self.rows():
            found.setdefault(day.isoformat() if day else None, []).append(number)
        return found

    def close(self) -> None:
        if reader := self.__dict__.pop("_reader", None):
            reader.__exit__(None, None, None)
        self.catalog.close()
