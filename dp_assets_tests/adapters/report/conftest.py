"""A lakehouse small enough to count by hand, as DuckDB tables under the names of the views."""

import duckdb
import pytest

from dp_assets.core.ids import TableId
from dp_assets.core.units import DAY_MS, HOUR_MS, MINUTE_MS
from dp_assets.domains.benchmarks.results import benchmark_rows
from dp_assets.ports.benchmarks import BenchmarkResult
from dp_assets.ports.inventory import TableFacts
from dp_assets.ports.report_recovery import PointLine, ProofLine, Recovery, Uncovered

HOSTILE = '[{"tailnum": "<script>alert(1)</script> | [x](http://evil.example) `"}]'
FACTS = (
    TableFacts(TableId("ops", "data_quality_results"), "x", rows=6, files=1, bytes=10, snapshots=1),
    TableFacts(
        TableId("raw", "flights"),
        "x",
        rows=1234567,
        files=3,
        bytes=3 * 1024 * 1024,
        snapshots=4,
        last_commit_ms=1_357_002_000_000,
    ),
    TableFacts(TableId("lost", "table"), "", problem="no such file"),
)

_TABLES = """
CREATE SCHEMA raw; CREATE SCHEMA curated; CREATE SCHEMA analytics; CREATE SCHEMA ops;
CREATE TABLE raw.flights (flight_date DATE, landed DATE);
CREATE TABLE curated.flights (
    flight_date DATE, carrier VARCHAR, carrier_name VARCHAR, origin VARCHAR, dest VARCHAR,
    scheduled_hour_local INTEGER, cancelled BOOLEAN, arr_delay_min INTEGER);
CREATE TABLE analytics.validation (
    name VARCHAR, expectation VARCHAR, observed VARCHAR, expected VARCHAR, passed BOOLEAN);
CREATE TABLE ops.data_quality_results (
    check_time TIMESTAMPTZ, "table" VARCHAR, partition VARCHAR, snapshot_id BIGINT,
    contract VARCHAR, "check" VARCHAR, severity VARCHAR, passed BOOLEAN, failing_rows BIGINT,
    total_rows BIGINT, observed VARCHAR, allowed VARCHAR, issues VARCHAR, run_id VARCHAR);
CREATE TABLE ops.benchmark_results (
    measured_at TIMESTAMPTZ, query VARCHAR, verdict VARCHAR, median_seconds DOUBLE,
    min_seconds DOUBLE, max_seconds DOUBLE, expected_seconds DOUBLE, repeats BIGINT, rows BIGINT,
    error VARCHAR, machine VARCHAR, run_id VARCHAR, complete BOOLEAN);
CREATE TABLE ops.recovery_points (
    kind VARCHAR, point BIGINT, started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, seconds DOUBLE,
    tables BIGINT, files BIGINT, bytes BIGINT, copied_files BIGINT, copied_bytes BIGINT,
    sampled_files BIGINT, complete BOOLEAN, scope VARCHAR, problem VARCHAR, run_id VARCHAR);
CREATE TABLE ops.journal (
    "table" VARCHAR, operation VARCHAR, outcome VARCHAR, started_at TIMESTAMPTZ, seconds DOUBLE,
    problem VARCHAR, before VARCHAR, after VARCHAR);
CREATE TABLE ops.table_health (
    "table" VARCHAR, measured_at TIMESTAMPTZ, problem VARCHAR, burden_bytes BIGINT, causes VARCHAR);
INSERT INTO ops.journal
SELECT "table", operation, outcome, make_timestamptz(at_ms::BIGINT * 1000), seconds, problem,
    '{"files": ' || files_before || ', "bytes": ' || bytes_before || '}',
    '{"files": ' || files_after || ', "bytes": ' || bytes_after || '}'
FROM (VALUES
    ('raw.flights', 'compaction', 'done', -90000000, 9.0, NULL, 900, 1, 1048576, 1),
    ('raw.flights', 'expiry', 'done', 1100, 0.5, NULL, 90, 90, 4096, 4096),
    ('raw.flights', 'compaction', 'done', 1200, 1.0, NULL, 90, 3, 4096, 1024),
    ('raw.planes', 'compaction', 'nothing to do', 1300, 0.1, NULL, 1, 1, 10, 10),
    ('lost.b', 'compaction', 'failed', 1400, 0.5, 'the disk is full', 6, 6, 12, 12))
    AS t ("table", operation, outcome, at_ms, seconds, problem, files_before, files_after,
        bytes_before, bytes_after);
INSERT INTO ops.table_health VALUES
    ('raw.flights', TIMESTAMPTZ '2013-01-01 01:00:00Z', NULL, 9, 'healed since'),
    ('raw.flights', TIMESTAMPTZ '2013-01-01 02:00:00Z', NULL, 4096, E'90 small files\n3 manifests'),
    ('lost.table', TIMESTAMPTZ '2013-01-01 02:00:00Z', 'no such file', NULL, NULL),
    ('gone.table', TIMESTAMPTZ '2013-01-01 02:00:00Z', NULL, 8192, 'dropped since');
INSERT INTO ops.recovery_points BY NAME
SELECT * FROM (VALUES
    ('drill', 1, TIMESTAMPTZ '2013-01-01 02:00:00Z', 4.5, 3072, NULL, true, NULL, 'c'),
    ('point', 1, TIMESTAMPTZ '2013-01-01 01:00:00Z', 2.5, 3072, 3072, true, NULL, 'a'),
    ('point', NULL, TIMESTAMPTZ '2013-01-01 03:00:00Z', 0.5, NULL, NULL, false,
        'the disk is full', 'd'),
    ('point', 2, TIMESTAMPTZ '2013-01-01 04:00:00Z', 1.5, 4096, 1024, false, 'raw.<b>: gone', 'e'))
    AS t (kind, point, started_at, seconds, bytes, copied_bytes, complete, problem, run_id);
"""
RECOVERY = Recovery(
    missing="",
    repository="s3://backups/lake",
    points=2,
    newest=PointLine(number=1, cut_at_ms=0, age_ms=90 * MINUTE_MS, tables=2, bytes=3072),
    proven=PointLine(number=1, cut_at_ms=0, age_ms=90 * MINUTE_MS, tables=2, bytes=3072),
    proof=ProofLine(at_ms=0, age_ms=30 * MINUTE_MS, scope="sample", seconds=4.5),
    restore_seconds=4.5,
    rpo_ms=HOUR_MS,
    rto_ms=HOUR_MS,
    max_unproven_ms=8 * DAY_MS,
    incomplete=(2,),
    not_covered=(Uncovered("raw.b", "<script> not in point 2: excluded, or made since"),),
    dump="dump-7, 1 h old, restores",
    replica="none configured",
)

# Per day: 12 flights UA JFK-LAX at 8, of which n late; 10 AA EWR-BOS at 17, all late.
# One flight is cancelled. 2013-01-03 is missing.
_FLIGHTS = """
INSERT INTO curated.flights
SELECT day, 'UA', 'United <script>', 'JFK', 'LAX', 8, false, if(n < late, 15, 14)
FROM (VALUES (DATE '2013-01-01', 0), (DATE '2013-01-02', 6), (DATE '2013-01-04', 0)) d (day, late),
    range(12) r (n)
UNION ALL
SELECT day, 'AA', NULL, 'EWR', 'BOS', 17, n = 0 AND day = DATE '2013-01-04',
    if(n = 0 AND day = DATE '2013-01-04', NULL, 60)
FROM (VALUES (DATE '2013-01-01'), (DATE '2013-01-02'), (DATE '2013-01-04')) d (day),
    range(10) r (n);
INSERT INTO raw.flights SELECT flight_date, DATE '2020-01-01' FROM curated.flights;
INSERT INTO analytics.validation VALUES
    ('totals_agree', 'layers agree', '66', '66', true),
    ('shares', 'within 0 and 1', '1 row', '0 rows', false);
"""


def check_row(check, partition, *, passed, severity="ERROR", failing=0, at="2013-02-01 00:00:00Z"):
    return (
        *(at, "raw.flights", partition, 1, "raw.flights", check, severity, passed, failing, 22),
        *(f"{failing} rows", "2 %", HOSTILE if failing else "[]", "r"),
    )


CHECKS = (
    check_row("key", "2013-01-01", passed=True),
    check_row("tailnum", "2013-01-01", passed=False, severity="WARN", failing=2),
    check_row("tailnum", "2013-01-02", passed=False, severity="WARN", failing=9),
    # refused at first, and fine when it was judged again
    check_row("key", "2013-01-02", passed=False, failing=22),
    check_row("key", "2013-01-02", passed=True, at="2013-02-02 00:00:00Z"),
    check_row("key", "2013-01-03", passed=False, failing=11),
)


def benchmark_run(connection, run_id, at_ms, seconds, *, machine="m", asked=2):
    results = [
        BenchmarkResult("count", 2.0, seconds=(seconds,), rows=1),
        BenchmarkResult("join", 15.0, error="no <such> table"),
    ]
    rows = benchmark_rows(
        results, asked=asked, measured_at_ms=at_ms, machine=machine, run_id=run_id
    )
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(
        f"INSERT INTO ops.benchmark_results VALUES ({marks})", [list(r.values()) for r in rows]
    )


@pytest.fixture
def empty():
    with duckdb.connect() as connection:
        yield connection


def fill(connection):
    connection.execute(_TABLES + _FLIGHTS)
    marks = ", ".join("?" * len(CHECKS[0]))
    connection.executemany(f"INSERT INTO ops.data_quality_results VALUES ({marks})", CHECKS)
    benchmark_run(connection, "first", 1_000, 1.0)
    benchmark_run(connection, "other-machine", 2_000, 9.0, machine="n")
    benchmark_run(connection, "second", 3_000, 0.5)
    benchmark_run(connection, "interrupted", 4_000, 0.1, asked=5)


@pytest.fixture
def lakehouse(empty):
    fill(empty)
    return empty
