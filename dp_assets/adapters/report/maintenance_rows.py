"""What `ops.journal`, `ops.table_health` and `ops.benchmark_results` say of maintenance."""

import json
from collections.abc import Collection, Mapping, Sequence

import duckdb

from dp_assets.adapters.report import sql
from dp_assets.core.units import DAY_MS
from dp_assets.ports.report_maintenance import InNeed, Maintenance, QueryChange, Worked

JOURNAL, HEALTH = "ops.journal", "ops.table_health"
BENCHMARKS = "ops.benchmark_results"


def read_maintenance(
    connection: duckdb.DuckDBPyConnection, *, views: Collection[str], tables: Collection[str]
) -> Maintenance:
    """What the views tell; those that are not there leave their part empty.

    Args:
        connection: its session time zone does not matter.
        views: those it has.
        tables: that exist; the health of others is history.
    """
    history = _history(connection) if JOURNAL in views else ()
    newest_ms = max((one.started_at_ms for one in history), default=0)
    latest = tuple(one for one in history if one.started_at_ms > newest_ms - DAY_MS)
    return Maintenance(
        history=history,
        round=latest,
        queries=_queries(connection, latest) if latest and BENCHMARKS in views else (),
        in_need=_in_need(connection, tables) if HEALTH in views else (),
    )


def _history(connection: duckdb.DuckDBPyConnection) -> tuple[Worked, ...]:
    rows = connection.execute(sql.JOURNAL).fetchall()
    return tuple(
        Worked(*fields, before=_figures(before), after=_figures(after), problem=problem)
        for *fields, before, after, problem in rows
    )


def _figures(text: str | None) -> Mapping[str, int]:
    return {} if text is None else json.loads(text)


def _queries(
    connection: duckdb.DuckDBPyConnection, latest: Sequence[Worked]
) -> tuple[QueryChange, ...]:
    """The last run of the queries before the round, and the first of the same machine after it."""
    started_ms = min(one.started_at_ms for one in latest)
    ended_ms = max(round(one.started_at_ms + one.seconds * 1000) for one in latest)
    rows = connection.execute(sql.QUERIES_AROUND, [started_ms, ended_ms]).fetchall()
    return tuple(QueryChange(*row) for row in rows)


def _in_need(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> tuple[InNeed, ...]:
    rows = connection.execute(sql.IN_NEED).fetchall()
    return tuple(InNeed(*row) for row in rows if row[0] in tables)
