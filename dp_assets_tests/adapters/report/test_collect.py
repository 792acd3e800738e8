from dataclasses import replace
from datetime import date

import pytest

from dp_assets.adapters.report.collect import collect
from dp_assets.ports.report import DayRange, Refusal
from dp_assets_tests.adapters.report.conftest import FACTS, HOSTILE, RECOVERY, benchmark_run


def collected(connection, tables=FACTS):
    return collect(
        connection, tables=tables, generated_at_ms=0, environment="test", run_id="r", lakehouse="L"
    )


def test_tables_come_in_the_order_of_the_layers_and_unknown_stays_unknown(lakehouse):
    tables = collected(lakehouse).tables
    assert [t.table for t in tables] == ["raw.flights", "lost.table", "ops.data_quality_results"]
    assert [t.rows for t in tables] == [1234567, None, 6]


def test_days_are_counted_by_the_first_date_column_and_gaps_are_named(lakehouse):
    first, last = date(2013, 1, 1), date(2013, 1, 4)
    gap = (date(2013, 1, 3),)
    assert collected(lakehouse).day_ranges == (
        DayRange("raw.flights", 3, first, last, gap),
        DayRange("curated.flights", 3, first, last, gap),
    )


def test_the_newest_result_of_each_check_counts(lakehouse):
    report = collected(lakehouse)
    [checks] = report.checks
    assert (checks.table, checks.passed, checks.warned, checks.failed) == ("raw.flights", 2, 2, 1)
    assert report.refusals == (Refusal("raw.flights", "2013-01-03", ("key",)),)


def test_findings_are_summed_over_partitions_and_come_worst_first(lakehouse):
    [checks] = collected(lakehouse).checks
    key, tailnum = checks.findings
    assert (key.check, key.severity, key.failing_rows, key.worst) == (
        *("key", "ERROR", 11),
        "2013-01-03",
    )
    assert (tailnum.partitions, tailnum.failing_rows, tailnum.total_rows) == (2, 11, 44)
    assert (tailnum.share, tailnum.worst, tailnum.observed) == (0.25, "2013-01-02", "9 rows")
    assert tailnum.issues == HOSTILE


def test_on_time_is_less_than_15_minutes_late_of_all_scheduled_flights(lakehouse):
    on_time = collected(lakehouse).on_time
    assert (on_time.flights, on_time.cancelled) == (66, 1)
    assert on_time.on_time_share == pytest.approx(30 / 66)
    assert [(d.name, d.on_time_share) for d in on_time.days] == [
        ("2013-01-01", pytest.approx(12 / 22)),
        ("2013-01-02", pytest.approx(6 / 22)),
        ("2013-01-04", pytest.approx(12 / 22)),
    ]


def test_the_trailing_share_looks_at_past_days_only(lakehouse):
    trailing = collected(lakehouse).on_time.trailing_shares
    assert trailing == (None, pytest.approx(12 / 22), pytest.approx(18 / 44))


def test_routes_and_carriers_are_ranked_and_a_carrier_without_name_keeps_its_code(lakehouse):
    on_time = collected(lakehouse).on_time
    assert [r.label for r in on_time.best_routes] == ["JFK → LAX"]
    assert [r.name for r in on_time.worst_routes] == ["EWR-BOS"]
    assert [c.label for c in on_time.carriers] == ["United <script>", "AA"]
    assert [c.median_delay_minutes for c in on_time.carriers] == [14.0, 60.0]


def test_hours_are_by_weekday_and_scarce_ones_are_left_out(lakehouse):
    lakehouse.execute(
        "INSERT INTO curated.flights VALUES ('2013-01-01', 'UA', NULL, 'JFK', 'LAX', 1, false, 99)"
    )
    hours = collected(lakehouse).on_time.hours
    assert [(h.weekday, h.hour, h.flights, h.on_time_share) for h in hours] == [
        (2, 8, 12, 1.0),
        (2, 17, 10, 0.0),
        (3, 8, 12, 0.5),
        (3, 17, 10, 0.0),
        (5, 8, 12, 1.0),
        (5, 17, 10, 0.0),
    ]


def test_benchmarks_compare_complete_runs_of_one_machine(lakehouse):
    benchmarks = collected(lakehouse).benchmarks
    assert (benchmarks.machine, benchmarks.measured_at_ms, benchmarks.interrupted) == ("m", 3000, 1)
    count, join = benchmarks.lines
    assert (count.verdict, count.median_seconds, count.history_seconds) == ("PASS", 0.5, (1.0, 0.5))
    assert (join.verdict, join.error, join.history_seconds) == ("FAIL", "no <such> table", ())


def test_only_interrupted_runs_are_no_benchmark(lakehouse):
    lakehouse.execute("DELETE FROM ops.benchmark_results")
    benchmark_run(lakehouse, "interrupted", 1_000, 0.1, asked=5)
    benchmarks = collected(lakehouse).benchmarks
    assert (benchmarks.lines, benchmarks.interrupted) == ((), 1)


def test_a_failed_validation_comes_first(lakehouse):
    assert [(v.name, v.passed) for v in collected(lakehouse).validations] == [
        ("shares", False),
        ("totals_agree", True),
    ]


def test_an_empty_lakehouse_has_an_empty_report(empty):
    report = collected(empty, tables=())
    assert (report.tables, report.checks, report.on_time.flights) == ((), (), 0)


def test_tables_without_rows_are_as_good_as_none(lakehouse):
    for table in ("raw.flights", "curated.flights", "ops.data_quality_results"):
        lakehouse.execute(f"DELETE FROM {table}")
    report = collected(lakehouse)
    assert (report.day_ranges, report.checks, report.on_time.days) == ((), (), ())


def test_points_and_drills_are_read_oldest_first_and_the_rest_is_given(lakehouse):
    recovery = collect(
        lakehouse,
        tables=FACTS,
        generated_at_ms=0,
        environment="test",
        run_id="r",
        recovery=RECOVERY,
    ).recovery
    assert replace(recovery, history=()) == RECOVERY
    assert [(a.kind, a.point, a.seconds, a.added_bytes, a.good) for a in recovery.history] == [
        ("point", 1, 2.5, 3072, True),
        ("drill", 1, 4.5, None, True),
        ("point", None, 0.5, None, False),
        ("point", 2, 1.5, 1024, False),
    ]
    assert [a.problem for a in recovery.history] == ["", "", "the disk is full", "raw.<b>: gone"]
    assert recovery.history[0].started_at_ms == 1_357_002_000_000


def test_of_many_points_the_newest_are_shown(lakehouse):
    lakehouse.execute(
        "INSERT INTO ops.recovery_points BY NAME SELECT 'point' AS kind, n + 10 AS point, "
        "TIMESTAMPTZ '2014-01-01 00:00:00Z' + to_hours(n) AS started_at, 1.0 AS seconds, "
        "true AS complete, 'x' AS run_id FROM range(100) r (n)"
    )
    history = collected(lakehouse).recovery.history
    assert [a.point for a in history] == list(range(50, 110))


def test_the_newest_round_of_maintenance_is_weighed_against_the_queries_around_it(lakehouse):
    found = collected(lakehouse).maintenance
    assert [(one.table, one.operation) for one in found.history] == [
        ("raw.flights", "compaction"),
        ("raw.flights", "expiry"),
        ("raw.flights", "compaction"),
        ("lost.b", "compaction"),
    ]
    assert len(found.round) == 3  # the first was more than a day before
    assert (found.seconds, found.saved_files, found.saved_bytes) == (2.0, 87, 3072)
    assert [(c.table, c.before, c.after) for c in found.files] == [("raw.flights", 90, 3)]
    # of the same machine, without the query that failed
    assert [(q.query, q.before_seconds, q.after_seconds) for q in found.queries] == [
        ("count", 1.0, 0.5)
    ]
    assert found.saved_seconds == 0.5
    assert found.attention == (
        "maintenance: compaction of lost.b ended as failed: the disk is full",
    )


def test_queries_that_were_not_measured_on_both_sides_are_not_compared(lakehouse):
    lakehouse.execute("DELETE FROM ops.benchmark_results WHERE run_id = 'second'")
    found = collected(lakehouse).maintenance
    assert (found.queries, found.saved_seconds) == ((), None)


def test_tables_in_need_are_as_they_were_last_measured_and_still_exist(lakehouse):
    found = collected(lakehouse).maintenance
    assert [(one.table, one.burden_bytes, one.cause) for one in found.in_need] == [
        ("raw.flights", 4096, "90 small files")
    ]
