"""Fills a report from a DuckDB connection whose views are the lakehouse's tables.

A view that is not there leaves its part of the report empty: a new lakehouse has a report, too.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import duckdb

from dp_assets.adapters.report import sql
from dp_assets.adapters.report.findings import checks_by_table, read_results, refusals
from dp_assets.adapters.report.history import read_benchmarks
from dp_assets.adapters.report.maintenance_rows import read_maintenance
from dp_assets.ports.inventory import TableFacts
from dp_assets.ports.report import (
    Benchmarks,
    DayRange,
    HourOfWeek,
    OnTime,
    PipelineReport,
    Punctuality,
    TableSize,
    ValidationLine,
)
from dp_assets.ports.report_recovery import NOT_LOOKED_AT, Attempt, Recovery

RANKED_ROUTES = 6
LAYERS = ("raw", "curated", "features", "analytics")


def collect(
    connection: duckdb.DuckDBPyConnection,
    *,
    tables: Sequence[TableFacts],
    generated_at_ms: int,
    environment: str,
    run_id: str,
    lakehouse: str = "Lakehouse",
    recovery: Recovery = NOT_LOOKED_AT,
) -> PipelineReport:
    """Ask the views `raw.*`, `curated.*`, `features.*`, `analytics.*` and `ops.*` for everything.

    Args:
        connection: its session time zone does not matter.
        tables: every table to list, with what its metadata says.
        generated_at_ms: Unix epoch, UTC, milliseconds.
        environment: as the settings name it, e.g. ``production``.
        run_id: of the run that writes the report.
        lakehouse: its name, the title of the page.
        recovery: what the repository says; its history is read here.
    """
    views = {str(name) for (name,) in connection.execute(sql.VIEWS).fetchall()}
    results = read_results(connection) if "ops.data_quality_results" in views else ()
    return PipelineReport(
        lakehouse=lakehouse,
        environment=environment,
        generated_at_ms=generated_at_ms,
        run_id=run_id,
        tables=tuple(_size(t) for t in sorted(tables, key=_in_order)),
        day_ranges=_day_ranges(connection),
        checks=checks_by_table(results),
        refusals=refusals(results),
        on_time=_on_time(connection) if "curated.flights" in views else OnTime(),
        benchmarks=(
            read_benchmarks(connection) if "ops.benchmark_results" in views else Benchmarks()
        ),
        validations=_validations(connection) if "analytics.validation" in views else (),
        recovery=(
            replace(recovery, history=_attempts(connection))
            if "ops.recovery_points" in views
            else recovery
        ),
        maintenance=read_maintenance(
            connection, views=views, tables={str(facts.table) for facts in tables}
        ),
    )


def _in_order(facts: TableFacts) -> tuple[int, str]:
    """In the order the pipeline writes them, the others after that."""
    layer = facts.table.namespace
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS), str(facts.table))


def _size(facts: TableFacts) -> TableSize:
    return TableSize(
        table=str(facts.table),
        rows=facts.rows,
        files=facts.files,
        size_bytes=facts.bytes,
        snapshots=facts.snapshots,
        last_commit_ms=facts.last_commit_ms,
    )


def _day_ranges(connection: duckdb.DuckDBPyConnection) -> tuple[DayRange, ...]:
    """Of every table of a layer that has a date; its first date column is its day."""
    ranges: list[DayRange] = []
    for table, column in connection.execute(sql.DAY_COLUMNS).fetchall():
        query = f'SELECT DISTINCT "{column}" AS day FROM {table} ORDER BY day'  # noqa: S608
        found = [day for (day,) in connection.execute(query).fetchall() if day is not None]
        if found:
            ranges.append(DayRange(table, len(found), found[0], found[-1], _gaps(found)))
    return tuple(ranges)


def _gaps(days: Sequence[date]) -> tuple[date, ...]:
    every = (days[-1] - days[0]).days + 1
    return tuple(sorted({days[0] + timedelta(days=n) for n in range(every)} - set(days)))


def _on_time(connection: duckdb.DuckDBPyConnection) -> OnTime:
    total = _punctuality(connection, sql.TOTAL)
    if not total or not total[0].flights:
        return OnTime()
    routes = _punctuality(connection, sql.ROUTES)
    ranked = min(RANKED_ROUTES, len(routes) // 2)
    return OnTime(
        flights=total[0].flights,
        cancelled=total[0].cancelled,
        on_time_share=total[0].on_time_share,
        days=_punctuality(connection, sql.DAYS),
        trailing_shares=tuple(share for (share,) in connection.execute(sql.TRAILING).fetchall()),
        months=_punctuality(connection, sql.MONTHS),
        hours=tuple(HourOfWeek(*row) for row in connection.execute(sql.HOURS).fetchall()),
        best_routes=routes[:ranked],
        worst_routes=routes[::-1][:ranked],
        carriers=_punctuality(connection, sql.CARRIERS),
    )


def _punctuality(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Punctuality, ...]:
    return tuple(Punctuality(*row) for row in connection.execute(query).fetchall())


def _validations(connection: duckdb.DuckDBPyConnection) -> tuple[ValidationLine, ...]:
    return tuple(ValidationLine(*row) for row in connection.execute(sql.VALIDATIONS).fetchall())


def _attempts(connection: duckdb.DuckDBPyConnection) -> tuple[Attempt, ...]:
    return tuple(Attempt(*row) for row in connection.execute(sql.RECOVERY_ATTEMPTS).fetchall())
