from dp_assets.domains.reports.summary import summary_lines
from dp_assets.ports.report import (
    BenchmarkLine,
    Benchmarks,
    PipelineReport,
    Refusal,
    TableChecks,
    TableSize,
)


def size(table, rows):
    return TableSize(table, rows, 1, 1, 1, None)


def test_a_report_in_a_few_lines():
    report = PipelineReport(
        "L",
        "test",
        0,
        "r",
        tables=(size("raw.flights", 1000), size("raw.planes", 1), size("curated.flights", None)),
        checks=(TableChecks("raw.flights", 3, 1, 1), TableChecks("raw.planes", 1, 0, 0)),
        refusals=(Refusal("raw.flights", "2013-01-02", ("key",)),),
        benchmarks=Benchmarks(lines=(BenchmarkLine("count", "PASS", 1, 1, 1, 2, 1, 1, None, ()),)),
    )
    assert summary_lines(report) == (
        "rows: raw 1,001, curated 0",
        "checks: 4 passed, 1 warned, 1 failed",
        "benchmarks: count PASS",
        "look at: raw.flights 2013-01-02 was refused: key",
    )


def test_an_empty_report_says_so():
    assert summary_lines(PipelineReport("L", "test", 0, "r")) == (
        "rows: no table yet",
        "checks: 0 passed, 0 warned, 0 failed",
        "benchmarks: not measured yet",
    )
