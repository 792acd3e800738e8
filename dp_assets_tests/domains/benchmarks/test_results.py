import json

from dp_assets.domains.benchmarks.results import BENCHMARK_RESULTS, benchmark_rows
from dp_assets.ports.benchmarks import BenchmarkResult

DONE = BenchmarkResult("count", 2.0, seconds=(3.0, 1.0, 2.0), rows=3)
BROKEN = BenchmarkResult("join", 15.0, error="no such table")


def rows_of(*results, asked):
    return benchmark_rows(results, asked=asked, measured_at_ms=1500, machine="m", run_id="r")


def test_a_row_holds_what_was_measured():
    assert rows_of(DONE, asked=1) == [
        {
            "measured_at": "1970-01-01T00:00:01.500Z",
            "query": "count",
            "verdict": "PASS",
            "median_seconds": 2.0,
            "min_seconds": 1.0,
            "max_seconds": 3.0,
            "expected_seconds": 2.0,
            "repeats": 3,
            "rows": 3,
            "error": None,
            "machine": "m",
            "run_id": "r",
            "complete": True,
        }
    ]


def test_a_query_that_raised_keeps_its_text_and_no_number():
    [row] = rows_of(BROKEN, asked=1)
    assert row["verdict"] == "FAIL"
    assert row["error"] == "no such table"
    assert [row[c] for c in ("median_seconds", "min_seconds", "max_seconds", "rows")] == [None] * 4


def test_an_interrupted_run_marks_every_row():
    assert [row["complete"] for row in rows_of(DONE, BROKEN, asked=5)] == [False, False]
    assert [row["complete"] for row in rows_of(DONE, BROKEN, asked=2)] == [True, True]


def test_rows_are_json_lines_of_exactly_the_documented_columns():
    [row] = rows_of(DONE, asked=1)
    assert list(json.loads(json.dumps(row))) == list(BENCHMARK_RESULTS.schema.column_names)
    assert all(field.doc for field in BENCHMARK_RESULTS.schema.fields)


def test_a_row_of_an_error_has_every_required_column():
    [row] = rows_of(BROKEN, asked=1)
    required = [f.name for f in BENCHMARK_RESULTS.schema.fields if f.required]
    assert [name for name in required if row[name] is None] == []
