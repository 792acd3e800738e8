"""Reconciliation between the layers; days that a contract keeps out are named, not compared."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from dp_assets.adapters.duckdb_validations import run_validations, validation_rows
from dp_assets.domains.pipeline import graph, tables
from dp_assets.domains.pipeline.validations import EXPECTATIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from dp_assets.adapters.duckdb_reader import DuckDbReader
    from dp_assets.adapters.duckdb_validations import ValidationResult
    from dp_assets.lakehouse import Lakehouse

READS = (*graph.REPORT_READS, tables.ON_TIME_REPORT.table)
PER_DAY = """
SELECT flight_date, count(*) AS flights, count(tailnum) AS tailnums,
  sum({miles}) AS miles, sum({departure}) AS departure, sum({arrival}) AS arrival
FROM {table} GROUP BY ALL
"""
RAW = PER_DAY.format(
    table="raw.flights", miles="distance", departure="dep_delay", arrival="arr_delay"
)
CURATED = PER_DAY.format(
    table="curated.flights",
    miles="distance_miles",
    departure="dep_delay_min",
    arrival="arr_delay_min",
)
DIFFERENT_DAYS = f"""
SELECT DISTINCT flight_date FROM (
  (({RAW}) EXCEPT ({CURATED})) UNION ALL (({CURATED}) EXCEPT ({RAW}))
) ORDER BY ALL
"""  # noqa: S608 - made of the literals above


def reconcile(lake: Lakehouse) -> tuple[ValidationResult, ...]:
    """Every expectation, measured on the tables as they are.

    A day that differs between raw and curated is left out of the comparison only if a contract
    refuses it right now; otherwise the difference is a miss.
    """
    with lake.reader() as reader:
        lake.attach(reader, READS)
        left_out = lake.pipeline.refused(
            graph.CURATED_FLIGHTS.gates, [day.isoformat() for day in _different_days(reader)]
        )
        return run_validations(
            reader.connection, EXPECTATIONS, left_out=[date.fromisoformat(day) for day in left_out]
        )


def rows_of(results: Sequence[ValidationResult]) -> pa.Table:
    """As the rows of ``analytics.validation``."""
    return validation_rows(results, tables.VALIDATION)


def _different_days(reader: DuckDbReader) -> list[date]:
    found = reader.rows(DIFFERENT_DAYS, about=tables.CURATED_FLIGHTS.table)
    return [day for day in found.column("flight_date").to_pylist() if day is not None]
