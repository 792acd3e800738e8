import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyiceberg.io.pyarrow import schema_to_pyarrow

from dp_assets.core.ids import TableId
from dp_assets.domains.quality.outcomes import has_rows_outcome, rows_outcome, schema_outcome
from dp_assets.domains.quality.results import (
    DATA_QUALITY_RESULTS,
    describe,
    result_rows,
    verdict_table,
)
from dp_assets.domains.quality.verdict import CheckOutcome, Severity, Verdict

FLIGHTS = TableId("raw", "flights")
CHECKED_MS = 1_357_095_845_678  # 2013-01-02T03:04:05.678Z


def counted(check: str, failing: int, tolerance: float | None = None) -> CheckOutcome:
    issues = [{"flight_date": "2013-01-02", "flight": 1, "speed": None}] if failing else []
    return rows_outcome(
        check, failing_rows=failing, total_rows=842, tolerance=tolerance, issues=issues
    )


def verdict(*outcomes: CheckOutcome, partition: str | None = "2013-01-02") -> Verdict:
    return Verdict(FLIGHTS, partition, 7, outcomes)


WARNED = verdict(
    *(counted(f"rule_{n}", 0) for n in range(17)), counted("tailnum_known", 14, tolerance=0.3)
)


def test_a_warning_is_told_in_one_line():
    assert describe(WARNED) == (
        "17 of 18 checks passed, 1 warned: tailnum_known 14 rows (1.66 %) of 842, allowed 30.00 %"
    )


def test_refusals_are_told_before_warnings():
    text = describe(
        verdict(
            schema_outcome({"dest": "is missing", "town": "is not declared"}, total_rows=842),
            has_rows_outcome(842, when_empty=Severity.ERROR),
            counted("tailnum_known", 14, tolerance=0.3),
            counted("flight_not_null", 842),
        )
    )
    assert text == (
        "1 of 4 checks passed, 2 refused the rows: "
        "schema dest is missing; town is not declared, allowed the declared columns and types; "
        "flight_not_null 842 rows (100.00 %) of 842, allowed none, 1 warned: "
        "tailnum_known 14 rows (1.66 %) of 842, allowed 30.00 %"
    )


def test_nothing_found_and_nothing_there():
    assert describe(verdict(counted("a", 0))) == "1 of 1 checks passed"
    assert describe(verdict(has_rows_outcome(0, when_empty=Severity.WARN))) == (
        "0 of 1 checks passed, 1 warned: has_rows 0 rows, allowed at least 1 row"
    )


def test_a_small_share_is_not_shown_as_none():
    found = rows_outcome("a", failing_rows=1, total_rows=100_000, tolerance=None, issues=())
    assert found.observed == "1 row (<0.01 %) of 100000"


@pytest.mark.parametrize(
    ("failing", "tolerance", "expected"),
    [
        pytest.param(0, None, (True, False), id="passes"),
        pytest.param(1, None, (False, True), id="first-row-refuses"),
        pytest.param(1, 0.0, (False, True), id="zero-tolerates-nothing"),
        pytest.param(421, 0.5, (False, False), id="tolerance-is-inclusive"),
        pytest.param(422, 0.5, (False, True), id="above-it-refuses"),
        pytest.param(842, 1.0, (False, False), id="all-may-be-tolerated"),
    ],
)
def test_severity_follows_the_tolerance(failing, tolerance, expected):
    found = counted("a", failing, tolerance)
    assert (found.passed, found.refuses) == expected


def test_rows_are_json_and_fit_the_table():
    refused = verdict(counted("flight_not_null", 3), counted("rule", 0), partition=None)
    lines = [
        json.dumps(row)
        for v in (WARNED, refused)
        for row in result_rows(v, run_id="run-1", checked_at_ms=CHECKED_MS)
    ]
    declared = schema_to_pyarrow(DATA_QUALITY_RESULTS.schema, include_field_ids=False)
    rows = [json.loads(line) for line in lines]
    assert all(list(row) == declared.names for row in rows)
    for row in rows:
        row["check_time"] = datetime.fromisoformat(row["check_time"])
    table = pa.Table.from_pylist(rows, schema=declared)
    assert table.num_rows == 20
    assert set(table["check_time"].to_pylist()) == {datetime(2013, 1, 2, 3, 4, 5, 678000, UTC)}
    failed = [row for row in table.to_pylist() if row["check"] == "flight_not_null"]
    del failed[0]["check_time"]
    assert failed == [
        {
            "table": "raw.flights",
            "partition": None,
            "snapshot_id": 7,
            "contract": "raw.flights",
            "check": "flight_not_null",
            "severity": "ERROR",
            "passed": False,
            "failing_rows": 3,
            "total_rows": 842,
            "observed": "3 rows (0.36 %) of 842",
            "allowed": "none",
            "issues": '[{"flight_date": "2013-01-02", "flight": 1, "speed": null}]',
            "run_id": "run-1",
        }
    ]


def test_every_column_of_the_results_table_is_documented():
    assert all(f.doc for f in DATA_QUALITY_RESULTS.schema.fields)
    assert set(DATA_QUALITY_RESULTS.key_columns) <= set(DATA_QUALITY_RESULTS.schema.column_names)


def test_the_table_for_people_has_the_worst_first():
    rows = verdict_table(
        verdict(counted("a", 0), counted("b", 14, tolerance=0.3), counted("c", 1), counted("d", 0))
    )
    assert [(r["check"], r["result"]) for r in rows] == [
        ("c", "ERROR"),
        ("b", "WARN"),
        ("a", "passed"),
        ("d", "passed"),
    ]
    assert rows[0] == {
        "check": "c",
        "result": "ERROR",
        "failing_rows": 1,
        "total_rows": 842,
        "observed": "1 row (0.12 %) of 842",
        "allowed": "none",
    }
