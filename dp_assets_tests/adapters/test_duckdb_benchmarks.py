import os
import signal
import threading

import duckdb
import pytest

from dp_assets.adapters.duckdb_benchmarks import load_queries, machine, measure
from dp_assets.core.errors import ConfigurationError, TransientError
from dp_assets.domains.benchmarks.verdict import QUERIES, judge
from dp_assets.domains.pipeline.tables import ALL
from dp_assets.ports.benchmarks import BenchmarkQuery

FOREVER = BenchmarkQuery("forever", "SELECT count(*) FROM range(1000000) a, range(10000000) b")
QUICK = BenchmarkQuery("quick", "SELECT * FROM range(7)")
EXPECTED = {"quick": 2.0, "broken": 2.0, "forever": 2.0}
TYPES = {"int": "INTEGER", "string": "VARCHAR", "timestamptz": "TIMESTAMPTZ"}


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def run(connection, *queries, warmups=0, repeats=1):
    found = measure(
        connection, queries=queries, warmups=warmups, repeats=repeats, expected_seconds=EXPECTED
    )
    return tuple(found)


def test_a_query_runs_its_warmups_and_repeats_and_only_repeats_are_timed(connection):
    connection.execute("CREATE SEQUENCE runs")
    counting = BenchmarkQuery("quick", "SELECT nextval('runs')")
    [result] = run(connection, counting, warmups=2, repeats=3)
    assert len(result.seconds) == 3
    assert connection.execute("SELECT nextval('runs')").fetchone() == (6,)


def test_a_result_has_the_rows_and_ordered_seconds(connection):
    [result] = run(connection, QUICK, repeats=3)
    assert result.rows == 7
    assert 0 < result.min_seconds <= result.median_seconds <= result.max_seconds


def test_a_query_that_raises_is_a_failed_result_and_the_next_one_runs(connection):
    broken, quick = run(connection, BenchmarkQuery("broken", "SELECT * FROM nowhere"), QUICK)
    assert "nowhere" in broken.error
    assert judge(broken) == "FAIL"
    assert quick.rows == 7


def test_what_was_measured_before_an_interruption_is_kept(connection):
    kept = []
    results = measure(
        connection, queries=(QUICK, FOREVER), warmups=0, repeats=1, expected_seconds=EXPECTED
    )
    kept.append(next(results))
    interrupter = threading.Timer(0.1, connection.interrupt)
    interrupter.start()
    with pytest.raises(TransientError, match="forever: interrupted"):
        kept.extend(results)
    interrupter.join()
    assert [result.query for result in kept] == ["quick"]


def test_ctrl_c_while_duckdb_is_busy_stops_the_query_and_is_no_failed_one(connection):
    interrupter = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        run(connection, FOREVER)
    interrupter.join()
    connection.close()  # waits for a query that still runs


@pytest.mark.parametrize(
    ("query", "repeats"),
    [
        pytest.param(BenchmarkQuery("unknown", "SELECT 1"), 1, id="no-expectation"),
        pytest.param(QUICK, 0, id="no-repeat"),
    ],
)
def test_a_benchmark_that_could_not_be_judged_does_not_start(connection, query, repeats):
    with pytest.raises(ConfigurationError, match="benchmark of 1 queries"):
        run(connection, query, repeats=repeats)


def test_every_shipped_query_runs_on_the_tables_as_declared(connection):
    for spec in ALL:
        columns = ", ".join(
            f"{f.name} {TYPES.get(str(f.field_type), str(f.field_type).upper())}"
            for f in spec.schema.fields
        )
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {spec.table.namespace}")
        connection.execute(f"CREATE TABLE {spec.table} ({columns})")
    results = measure(
        connection,
        queries=load_queries(QUERIES),
        warmups=0,
        repeats=1,
        expected_seconds=dict.fromkeys(QUERIES, 5.0),
    )
    assert [(r.query, r.error) for r in results] == [(name, None) for name in QUERIES]


def test_the_machine_has_no_host_name():
    assert os.uname().nodename not in machine()
