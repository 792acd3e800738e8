"""The composition root: settings become adapters, for Dagster and the command line alike.

What a verb does not use is not imported: PyArrow and DuckDB load in the methods that need them,
because ``dp tables`` must cost little more than connecting to the catalog.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from pyiceberg.catalog.sql import SqlCatalog

from dp_assets.adapters.catalogs import address, open_catalog, sqlite_file
from dp_assets.adapters.lease_owner import is_gone, owner_text
from dp_assets.adapters.local_files import local_path
from dp_assets.adapters.pyiceberg_pointer import existing_pointer, read_pointer
from dp_assets.adapters.spool import FolderSpool
from dp_assets.adapters.state_folder import is_there
from dp_assets.core.errors import ConfigurationError
from dp_assets.core.units import MINUTE_MS, now_ms
from dp_assets.domains.backup.records import RECOVERY_POINTS
from dp_assets.domains.benchmarks.results import BENCHMARK_RESULTS
from dp_assets.domains.lake.identity import NAMESPACE, Identity, Place, recorded, require_same
from dp_assets.domains.maintenance.health_records import TABLE_HEALTH
from dp_assets.domains.maintenance.journal import JOURNAL
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS
from dp_assets.ports.leases import held_lease
from dp_assets.settings import Settings, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping

    from pyiceberg.catalog import Catalog

    from dp_assets.adapters.duckdb_reader import DuckDbReader
    from dp_assets.adapters.flights_source import FlightsSource
    from dp_assets.adapters.pyiceberg_writer import PyIcebergWriter
    from dp_assets.core.ids import TableId
    from dp_assets.domains.lake.spool_flush import Flushed
    from dp_assets.domains.pipeline.daily import Pipeline
    from dp_assets.domains.quality.contract import Contract
    from dp_assets.ports.lake_files import LakeFiles
    from dp_assets.ports.leases import Lease, Leases

OPS_TABLES = (DATA_QUALITY_RESULTS, BENCHMARK_RESULTS, RECOVERY_POINTS, TABLE_HEALTH, JOURNAL)


class Lakehouse:
    """One open lakehouse. Adapters are made when first used; close it, or use :func:`opened`."""

    def __init__(self, settings: Settings, *, doing: str = "dp") -> None:
        self.settings = settings
        self._doing = doing
        self._open = ExitStack()

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog, connected. Raises ConfigurationError before ``dp init``."""
        database = sqlite_file(self.settings.catalog.uri)
        if database is not None and not is_there(database):
            raise ConfigurationError(
                f"there is no lakehouse at {database}",
                hint="'dp init' makes one; 'make demo' fills it",
            )
        return connect(self.settings)

    @cached_property
    def leases(self) -> Leases:
        """Beside the catalog: in its database, else as objects where the settings say."""
        if isinstance(self.catalog, SqlCatalog):
            from dp_assets.adapters.leases_sql import SqlLeases

            return SqlLeases(self.catalog.engine, now_ms=now_ms, sleep=time.sleep, is_gone=is_gone)
        from dp_assets.adapters.objects.leases_objects import ObjectLeases
        from dp_assets.adapters.objects.object_stores import open_store

        root = self.settings.leases.root or self.settings.warehouse.root
        store = open_store(
            f"{root.rstrip('/')}/_dp",
            properties=self.settings.catalog.plain_properties(),
            tmp_dir=self.settings.tmp_dir,
        )
        return ObjectLeases(store, now_ms=now_ms, sleep=time.sleep, is_gone=is_gone)

    @contextmanager
    def lease(self, name: str, *, doing: str) -> Generator[Lease, None, None]:
        """Hold the lease ``name`` for the length of a block, as long as the settings say.

        Raises TransientError when somebody else holds it.
        """
        limits = self.settings.leases
        with held_lease(
            self.leases,
            name,
            owner=owner_text(doing),
            ttl_ms=limits.ttl_seconds * 1000,
            wait_ms=limits.wait_seconds * 1000,
        ) as lease:
            yield lease

    @cached_property
    def files(self) -> LakeFiles:
        """The files of the tables, wherever the catalog's properties say."""
        from dp_assets.adapters.objects.lake_files import CatalogFiles

        return CatalogFiles(self.settings.catalog.plain_properties(), tmp_dir=self.settings.tmp_dir)

    @cached_property
    def writer(self) -> PyIcebergWriter:
        """The one way rows get into tables."""
        from dp_assets.adapters.pyiceberg_writer import PyIcebergWriter

        return PyIcebergWriter(
            self.catalog,
            self.leases,
            owner=owner_text(self._doing),
            ttl_ms=self.settings.leases.ttl_seconds * 1000,
            wait_ms=self.settings.leases.wait_seconds * 1000,
            now_ms=now_ms,
        )

    @cached_property
    def spool(self) -> FolderSpool:
        """Rows on their way to ``ops.*``, durable on this machine."""
        return FolderSpool(self.settings.spool_dir)

    @cached_property
    def source(self) -> FlightsSource:
        """Where the pipeline's data comes from."""
        from dp_assets.adapters.flights_source import FlightsSource

        return FlightsSource(self.settings.pipeline.source, cache_dir=self.settings.cache_dir)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The pipeline's use cases over one DuckDB connection, open until :meth:`close`."""
        from dp_assets.adapters.duckdb_pipeline import DuckDbPipeline
        from dp_assets.domains.pipeline.daily import Pipeline
        from dp_assets.domains.pipeline.graph import spec_for

        overrides = self.settings.contracts.tolerances
        reader = self._open.enter_context(self.reader())
        return Pipeline(
            engine=DuckDbPipeline(reader, self.source),
            writer=self.writer,
            contract_for=lambda table: _contract(table, overrides),
            spec_for=spec_for,
            now_ms=now_ms,
        )

    def flush(self, *, at_once: bool = False) -> tuple[Flushed, ...]:
        """Commit what waits in the spool, at most once per table and ``spool.flush_minutes``."""
        from dp_assets.domains.lake.spool_flush import flush

        waiting = self.spool.tables()
        wanted = [s for s in OPS_TABLES if s.table in waiting]
        return tuple(
            flush(self.spool, self.writer, spec)
            for spec in wanted
            if at_once or self._flush_is_due(spec.table)
        )

    def attach(self, reader: DuckDbReader, tables: Iterable[TableId]) -> None:
        """Views of ``tables`` on ``reader``; those of ``ops`` with the rows still in the spool."""
        import pyarrow as pa

        from dp_assets.domains.lake.spool_flush import waiting_rows
        from dp_assets.domains.lake.spool_rows import rows_to_arrow

        asked, known = tuple(tables), set(self.tables())
        ops = [spec for spec in OPS_TABLES if spec.table in asked]
        plain = {spec.table for spec in ops}
        reader.attach(table for table in asked if table in known and table not in plain)
        for spec in ops:
            # The spool is read before the table's head: a batch that lands in between is then
            # known by its name and shown once.
            waiting = waiting_rows(self.spool, spec)
            exists = spec.table in known
            if exists:
                head, landed = self.writer.landed_at_head(spec.table)
                reader.attach([spec.table], snapshots={spec.table: head} if head else None)
                waiting = {name: rows for name, rows in waiting.items() if name not in landed}
            rows = pa.concat_tables([rows_to_arrow([], spec.schema), *waiting.values()])
            if waiting or not exists:
                reader.overlay(spec.table, rows, committed=exists)

    def _flush_is_due(self, table: TableId) -> bool:
        from dp_assets.domains.lake.spool_flush import due

        exists = read_pointer(self.catalog, table) is not None
        last_ms = self.writer.last_commit_ms(table) if exists else None
        every_ms = self.settings.spool.flush_minutes * MINUTE_MS
        return due(last_ms, now_ms=now_ms(), every_ms=every_ms)

    def reader(self, pointer: Callable[[TableId], str] | None = None) -> DuckDbReader:
        """A new DuckDB connection over this lakehouse; use it in a ``with`` statement.

        ``pointer`` says where a table's metadata file is; by default the catalog does.
        """
        from dp_assets.adapters.duckdb_reader import DuckDbReader

        limits = self.settings.engines.duckdb
        remote = local_path(self.settings.warehouse.root) is None
        return DuckDbReader(
            pointer or (lambda table: existing_pointer(self.catalog, table)),
            memory_limit=limits.memory_limit,
            threads=limits.threads,
            temp_dir=self.settings.tmp_dir,
            s3=self.settings.catalog.plain_properties() if remote else None,
        )

    @property
    def place(self) -> Place:
        """Where the settings say this lakehouse is."""
        return Place(address(self.settings.catalog.uri), self.settings.warehouse.root)

    @property
    def identity(self) -> Identity | None:
        """What ``dp init`` recorded in the catalog; None before."""
        if not self.catalog.namespace_exists(NAMESPACE):
            return None
        return recorded(self.catalog.load_namespace_properties(NAMESPACE))

    def require_identity(self, doing: str) -> Identity:
        """Raises PermanentError unless this is certainly the lakehouse that was initialised."""
        return require_same(self.identity, self.place, doing=doing)

    def tables(self) -> tuple[TableId, ...]:
        """Every table the catalog lists."""
        from dp_assets.adapters.pyiceberg_inventory import list_pointers

        return tuple(sorted(list_pointers(self.catalog)))

    def close(self) -> None:
        """Give the connections back."""
        self._open.close()
        if isinstance(self.__dict__.get("catalog"), SqlCatalog):
            self.catalog.engine.dispose()  # pyright: ignore[reportAttributeAccessIssue]


def connect(settings: Settings) -> Catalog:
    """The catalog of ``settings``; a SQLite database without tables gets them."""
    return open_catalog(
        settings.catalog.name,
        kind=settings.catalog.type,
        uri=settings.catalog.uri,
        warehouse=settings.warehouse.root,
        properties=settings.catalog.plain_properties(),
    )


@contextmanager
def opened(
    settings: Settings | None = None, *, doing: str = "dp"
) -> Generator[Lakehouse, None, None]:
    """The lakehouse of ``settings`` (default: as ``DP_CONFIG`` says), closed afterwards."""
    lake = Lakehouse(settings or load_settings(), doing=doing)
    try:
        yield lake
    finally:
        lake.close()


def _contract(table: TableId, overrides: Mapping[str, float]) -> Contract | None:
    from dp_assets.domains.quality.contract import with_tolerances
    from dp_assets.domains.quality.registry import contract_for

    contract = contract_for(table)
    return with_tolerances(contract, overrides) if contract else None
