"""Times the benchmark queries in DuckDB; judging them is the domain's."""

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

import duckdb

from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.ports.benchmarks import BenchmarkQuery, BenchmarkResult


def load_queries(names: Sequence[str]) -> tuple[BenchmarkQuery, ...]:
    """The named `.sql` files that lie beside the benchmark domain, in the order of ``names``."""
    folder = files("dp_assets.domains.benchmarks")
    return tuple(BenchmarkQuery(n, (folder / f"{n}.sql").read_text("utf-8")) for n in names)


def machine() -> str:
    """What two runs must share to be compared; no host name, a container has a new one each."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def measure(
    connection: duckdb.DuckDBPyConnection,
    *,
    queries: Sequence[BenchmarkQuery],
    warmups: int,
    repeats: int,
    expected_seconds: Mapping[str, float],
) -> Iterator[BenchmarkResult]:
    """Yield each query's result as soon as it is there, so that a caller can keep a part.

    A query that raises is a result with its error. An interruption is none: it ends the iteration.

    Args:
        connection: sees the views that the queries name.
        queries: in the order they run.
        warmups: untimed runs of each query before its repeats; 0 or more.
        repeats: timed runs of each query; 1 or more.
        expected_seconds: by query name.

    Raises:
        ConfigurationError: no expectation for a query, or nothing to time.
        TransientError: someone interrupted the connection.
        KeyboardInterrupt: Ctrl-C, also while DuckDB was busy; or what another signal raises.
    """
    missing = [q.name for q in queries if q.name not in expected_seconds]
    if missing or repeats < 1 or warmups < 0:
        raise ConfigurationError(
            f"benchmark of {len(queries)} queries: {repeats} repeats, {warmups} warm-ups, "
            f"no expected seconds for {', '.join(missing) or 'none'}",
            hint="give at least 1 repeat, 0 warm-ups, and expected seconds for every query",
        )
    for query in queries:
        yield _measure_one(connection, query, warmups, repeats, expected_seconds[query.name])


def _measure_one(
    connection: duckdb.DuckDBPyConnection,
    query: BenchmarkQuery,
    warmups: int,
    repeats: int,
    expected_seconds: float,
) -> BenchmarkResult:
    try:
        runs = [_timed(connection, query.sql) for _ in range(warmups + repeats)]
    except duckdb.InterruptException as error:
        raise TransientError(
            f"benchmark {query.name}: interrupted",
            hint="run it again; what was measured before is kept as partial and never compared",
        ) from error
    except duckdb.Error as error:
        return BenchmarkResult(query.name, expected_seconds, error=str(error))
    except RuntimeError as error:
        # A signal's exception (Ctrl-C, a terminated run) that came while DuckDB was busy arrives as
        # the cause of this one, and the query still runs: closing the connection would wait for it.
        if error.__cause__ is None:
            raise
        connection.interrupt()
        raise error.__cause__ from None
    timed = tuple(seconds for seconds, _ in runs[warmups:])
    return BenchmarkResult(query.name, expected_seconds, seconds=timed, rows=runs[-1][1])


def _timed(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, int]:
    """Wall seconds until every row is here, and the number of rows."""
    start = time.perf_counter()
    rows = len(connection.execute(sql).fetchall())
    return time.perf_counter() - start, rows
